"""`manage.py clock`: rings what recurs, through RQ's cron. Run one per installation."""

import logging
from typing import Any

import redis
from django.core.management.base import BaseCommand
from django_rq.cron import DjangoCronScheduler

from worker import jobs, schedule


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C. While it is down, the workers' own loops keep delivering."""

    help = "Ring what recurs: sweep, release, expire."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Register the table of worker.schedule and start."""
        logging.getLogger("rq").setLevel(logging.ERROR)
        scheduler = DjangoCronScheduler(logging_level=logging.ERROR)
        try:
            for job, every in schedule.RECURRING.items():
                scheduler.register(
                    job, jobs.QUEUE, interval=every, job_timeout=120, result_ttl=0, ttl=every, failure_ttl=3600
                )
            scheduler.start()
        except redis.exceptions.RedisError as error:
            self.stderr.write(f"The broker is away: {error}")
            raise SystemExit(1) from error  # whoever supervises us starts us again
