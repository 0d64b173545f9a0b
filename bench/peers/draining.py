"""A peer empties its queue: `python -m bench.peers.draining PEER`, with two processes, the way it is meant to be used.

The last line printed says when it began, ready to send, and when nothing waited any more (seconds since 1970), and how
many letters were sent. Starting Python and Django counts for nobody.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.mail import EmailMessage, get_connection  # noqa: E402
from django.core.management import call_command  # noqa: E402

from bench.peers.letterbox.models import Letter  # noqa: E402

PROCESSES = 2


def post_office() -> tuple[float, float, int]:
    """Run `send_queued_mail --processes 2`, which sends batch after batch until nothing is queued."""
    from post_office.models import STATUS, Email  # noqa: PLC0415

    began = time.time()
    call_command("send_queued_mail", processes=PROCESSES, lockfile=os.path.abspath("post_office"))  # noqa: PTH100
    return began, time.time(), Email.objects.filter(status=STATUS.sent).count()


def mailer() -> tuple[float, float, int]:
    """Run its `send_mail` in two processes at once: each locks a row, sends, and goes on to the next."""
    from mailer.models import MessageLog  # noqa: PLC0415

    times = _beside(lambda: call_command("send_mail"))
    return (*times, MessageLog.objects.filter(result="1").count())


def celery() -> tuple[float, float, int]:
    """Run Celery's own worker, prefork, until every letter's row says that it was sent."""
    command = [
        sys.executable, "-m", "celery", "-A", "bench.peers.tasks", "worker", "--pool", "prefork",
        "--concurrency", str(PROCESSES), "--without-gossip", "--without-mingle", "--without-heartbeat",
        "--loglevel", "WARNING",
    ]  # fmt: skip
    waiting = Letter.objects.filter(sent_at=None)
    with subprocess.Popen(command) as worker:
        try:
            while waiting.exists():
                if worker.poll() is not None:
                    raise SystemExit("Celery's worker ended before its time.")
                time.sleep(0.05)
        finally:
            worker.terminate()
    return _by_the_rows()


def rq() -> tuple[float, float, int]:
    """Run two of RQ's SimpleWorkers until the queue is empty: they do not fork for each job, which is much faster."""
    import django_rq  # noqa: PLC0415
    from rq import SimpleWorker  # noqa: PLC0415

    def work() -> None:
        worker = SimpleWorker([django_rq.get_queue()], log_job_description=False, serializer=_json(),
                              connection=django_rq.get_connection())  # fmt: skip
        worker.work(burst=True, logging_level="WARNING")

    _beside(work)
    return _by_the_rows()


def backend() -> tuple[float, float, int]:
    """Hand the letters to Django's stock SMTP backend, over one connection, and note nothing."""
    letters = list(Letter.objects.order_by("pk"))
    messages = [EmailMessage(one.subject, one.body, one.sender, [one.to]) for one in letters]
    connection = get_connection()
    connection.open()
    began = time.time()
    count = connection.send_messages(messages)
    ended = time.time()
    connection.close()
    return began, ended, int(count or 0)


def _json() -> type:
    from rq.serializers import JSONSerializer  # noqa: PLC0415

    return JSONSerializer


def _beside(work: Callable[[], object]) -> tuple[float, float]:
    """Do the same in two processes at once; return when the first began and the last ended."""
    began = time.time()
    children = []
    for _ in range(PROCESSES):
        child = os.fork()
        if not child:
            status = 1
            try:
                work()
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    for child in children:
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit("A process ended before its time.")
    return began, time.time()


def _by_the_rows() -> tuple[float, float, int]:
    """Return when the first letter was sent, when the last, and how many: a worker's own start costs it nothing."""
    sent = Letter.objects.exclude(sent_at=None)
    times = sorted(sent.values_list("sent_at", flat=True))
    return times[0].timestamp(), times[-1].timestamp(), len(times)


DRAIN = {"post_office": post_office, "mailer": mailer, "celery": celery, "rq": rq, "backend": backend}

if __name__ == "__main__":
    assert settings.EMAIL_HOST == "127.0.0.1"
    first, last, sent = DRAIN[sys.argv[1]]()
    print(json.dumps({"began": first, "ended": last, "sent": sent}), flush=True)
