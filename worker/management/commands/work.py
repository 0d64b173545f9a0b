"""`manage.py work`: one worker process, with RQ as its doorbell and a delivery loop that needs no broker."""

import logging
import threading
from typing import Any

import django_rq
from django.core.management.base import BaseCommand
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from worker import jobs, loop, starting, stopping

log = logging.getLogger(__name__)
AGAIN_AFTER = 2.0  # seconds between knocks at a broker that is away
TTL = 20  # seconds; RQ waits 15 less for a job, then says that it is alive


class Doorman(SimpleWorker):
    """RQ's worker, in-process: a job only rings the loop, and a fork for each would cost more than a letter.

    RQ ends its work alike when asked to and when the broker goes away; `asked_to_end` tells which it was.
    """

    max_connection_wait_time = 5.0

    def __init__(self, asked_to_end: threading.Event, *, ttl: int = TTL) -> None:
        super().__init__(
            [django_rq.get_queue(jobs.QUEUE)], serializer=JSONSerializer, log_job_description=False,
            default_result_ttl=0, worker_ttl=ttl,
        )  # fmt: skip
        self.asked_to_end = asked_to_end

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Look also whether a signal came: RQ ends by raising, which the code that a signal interrupts may swallow."""
        if pipeline is None and self.asked_to_end.is_set() and self.get_state() != WorkerStatus.BUSY:
            raise StopRequested
        super().heartbeat(timeout, pipeline)

    def request_stop(self, signum: Any, frame: Any) -> None:
        """Note that a signal came."""
        self.asked_to_end.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        self._stop_requested = self.asked_to_end.is_set()  # a signal may have come just before


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C; letters in flight are finished first."""

    help = "Deliver letters; run the queue's jobs. Start as many as you like, on as many hosts as you like."
    requires_system_checks = []  # `handle` checks: Django looks at a database only where it is named

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Start the loop, then take jobs in the main thread until told to stop. Raises SystemCheckError."""
        stopping.explain_on_signal()
        starting.check_database(self)
        logging.getLogger("rq").setLevel(logging.CRITICAL)  # it logs a broker that is away every few seconds
        running = loop.this_process()
        running.ring()
        thread = threading.Thread(target=running.run, name="delivery loop")
        thread.start()
        stop = threading.Event()
        try:
            self._take_jobs(stop)
        finally:
            stopping.on_signals(lambda: None)  # in flight is finished, however often we are asked
            running.stop()
            thread.join()

    def _take_jobs(self, stop: threading.Event) -> None:
        """Take jobs until told to stop; a broker that is away is knocked at, while the loop delivers without it."""
        said = False
        stopping.on_signals(stop.set)
        while not stop.is_set():
            try:
                Doorman(stop).work(logging_level="CRITICAL")  # which puts handlers of its own in place of ours
            except (RedisError, OSError) as error:
                if not said:
                    log.warning("the broker is away (%s); the loop delivers without it", error)
                said = True
            finally:
                stopping.on_signals(stop.set)
            stop.wait(AGAIN_AFTER)
