"""What recurs, and how often in seconds. `manage.py clock` rings it through RQ; `manage.py deliver` by itself."""

import logging
import threading
from collections.abc import Callable

from django.db import connection

from worker import defects, jobs

log = logging.getLogger(__name__)
RECURRING: dict[Callable[[], None], int] = {
    jobs.sweep: 10,
    jobs.release: 60,
    jobs.remind: 300,
    jobs.expire: 3600,
}


def keep(ended: threading.Event) -> list[threading.Thread]:
    """Start what recurs, each on a timer of its own, until `ended`; the first round at once. Returns the threads."""
    threads = [
        threading.Thread(target=_repeat, args=(job, every, ended), name=job.__name__)
        for job, every in RECURRING.items()
    ]
    for thread in threads:
        thread.start()
    return threads


def _repeat(job: Callable[[], None], every: float, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            job()
        except Exception as error:  # noqa: BLE001  a database that is away, or a defect: the next round comes
            defects.tell(log, f"{job.__name__} failed", error)
        ended.wait(every)
    connection.close()
