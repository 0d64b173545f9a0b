"""`manage.py clock`: rings what recurs, through RQ's cron. Run one per installation."""

import logging
from typing import Any

import django_rq
import redis
from django.core.management.base import BaseCommand
from django_rq.cron import DjangoCronScheduler
from rq.cron import CronJob
from rq.utils import now

from worker import jobs, schedule


class _Clock(DjangoCronScheduler):
    """RQ's cron, over our queue: RQ's own would pickle, which the workers rightly do not read."""

    def enqueue_jobs(self) -> list[CronJob]:
        """Put what is due into the queue, as JSON; return it."""
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            assert job.func is not None  # noqa: S101  every job of our table has one
            django_rq.get_queue(job.queue_name).enqueue_call(
                job.func, description=job.func.__name__, timeout=120, result_ttl=0,
                ttl=job.interval, failure_ttl=3600,
            )  # fmt: skip
            job.set_enqueue_time(now())
        return due


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C. While it is down, the workers' own loops keep delivering."""

    help = "Ring what recurs: sweep, release, expire."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Register the table of worker.schedule and start."""
        logging.getLogger("rq").setLevel(logging.ERROR)
        scheduler = _Clock(logging_level=logging.ERROR)
        try:
            for job, every in schedule.RECURRING.items():
                scheduler.register(job, jobs.QUEUE, interval=every)
            scheduler.start()  # type: ignore[no-untyped-call]
        except redis.exceptions.RedisError as error:
            self.stderr.write(f"The broker is away: {error}")
            raise SystemExit(1) from error  # whoever supervises us starts us again
