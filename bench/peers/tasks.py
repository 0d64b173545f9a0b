"""Celery's application and its one task: send a letter."""

import json
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.settings"

from celery import Celery

OPTIONS = json.loads(os.environ.get("BENCH_OPTIONS", "{}"))
app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(
    task_ignore_result=True,
    task_serializer="json",
    worker_prefetch_multiplier=OPTIONS.get("prefetch", 4),
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    CELERY_DB_REUSE_MAX=1_000_000,  # else it connects to the database anew for each task
)


@app.task(ignore_result=True)
def send(pk: int) -> None:
    """Send the letter of this number."""
    from bench.peers.letterbox import sending  # noqa: PLC0415  Django is set up by then

    sending.send(pk)
