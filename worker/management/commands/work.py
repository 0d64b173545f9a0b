"""`manage.py work`: one worker process, with RQ as its doorbell and a delivery loop that needs no broker."""

import logging
import signal
from typing import Any

import django_rq
from django.core.management.base import BaseCommand
from rq import SimpleWorker

from worker import jobs, loop


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C; letters in flight are finished first."""

    help = "Deliver letters; run the queue's jobs. Start as many as you like, on as many hosts as you like."
    requires_system_checks = ["database"]

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Start the loop, then take jobs in the main thread until told to stop."""
        logging.getLogger("rq").setLevel(logging.ERROR)
        running, thread = loop.run_in_thread()
        running.ring()
        try:
            self._take_jobs()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            running.stop()
            thread.join()

    def _take_jobs(self) -> None:
        # In-process on purpose: a job only rings the loop, and a fork for each ring would cost more than a letter.
        worker = django_rq.get_worker(
            jobs.QUEUE, worker_class=SimpleWorker, log_job_description=False, default_result_ttl=0
        )
        worker.work(logging_level="ERROR")
