"""What recurs, and how often in seconds. `manage.py clock` rings it through RQ; `manage.py deliver` by itself."""

from collections.abc import Callable

from worker import jobs

RECURRING: dict[Callable[[], None], int] = {
    jobs.sweep: 10,
    jobs.release: 60,
    jobs.expire: 3600,
}
