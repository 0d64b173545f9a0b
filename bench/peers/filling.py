"""A full queue for a peer: `python -m bench.peers.filling PEER COUNT`, the same letters as Postbag's installations."""

import os
import sys
from collections.abc import Iterator

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.settings"

import django

django.setup()

from django.core.mail import EmailMessage  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench import work  # noqa: E402
from bench.peers.letterbox.models import Letter  # noqa: E402

BATCH = 1000


def letters(count: int) -> Iterator[dict[str, str]]:
    """Yield so many letters, the oldest supporter's first: sender, to, subject, body."""
    for place in range(count):
        number, to = divmod(place, work.TARGETS)
        target = work.target(to)
        yield {
            "sender": f'"{work.sender(number)}" <letter@{work.SENDER_DOMAIN}>',
            "to": f'"{target.name}" <{target.email}>',
            "subject": work.SUBJECT,
            "body": work.text(number, to),
        }


def fill_letterbox(count: int) -> None:
    """Fill the table of letters."""
    Letter.objects.bulk_create((Letter(**letter) for letter in letters(count)), batch_size=BATCH)


def fill_post_office(count: int) -> None:
    """Queue with django-post_office."""
    from post_office.models import PRIORITY, STATUS, Email  # noqa: PLC0415  each peer by itself

    Email.objects.bulk_create(
        (Email(from_email=letter["sender"], to=[letter["to"]], subject=letter["subject"], message=letter["body"],
               status=STATUS.queued, priority=PRIORITY.medium) for letter in letters(count)),
        batch_size=BATCH,
    )  # fmt: skip


def fill_mailer(count: int) -> None:
    """Queue with django-mailer, which keeps each letter as a pickled EmailMessage."""
    from mailer.models import Message  # noqa: PLC0415

    def queued() -> Iterator[Message]:
        for letter in letters(count):
            row = Message()
            row.email = EmailMessage(letter["subject"], letter["body"], letter["sender"], [letter["to"]])
            yield row

    Message.objects.bulk_create(queued(), batch_size=BATCH)


def fill_celery(count: int) -> None:
    """Fill the table, and put a task for each letter into the queue."""
    from bench.peers.tasks import app, send  # noqa: PLC0415

    fill_letterbox(count)
    app.control.purge()
    with app.producer_pool.acquire(block=True) as producer:
        for pk in Letter.objects.order_by("pk").values_list("pk", flat=True):
            send.apply_async((pk,), producer=producer)


def fill_rq(count: int) -> None:
    """Fill the table, and put a job for each letter into the queue."""
    import django_rq  # noqa: PLC0415

    from bench.peers.letterbox import sending  # noqa: PLC0415

    fill_letterbox(count)
    queue = django_rq.get_queue()
    queue.empty()
    pks = list(Letter.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, count, BATCH):
        queue.enqueue_many(
            [queue.prepare_data(sending.send, (pk,), timeout=600, result_ttl=0, description="letter")
             for pk in pks[start : start + BATCH]]
        )  # fmt: skip


FILL = {"post_office": fill_post_office, "mailer": fill_mailer, "celery": fill_celery, "rq": fill_rq,
        "backend": fill_letterbox}  # fmt: skip


def main(peer: str, count: int) -> None:
    """Empty everything and fill one peer's queue."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    kept = {"django_migrations", "django_content_type"}
    tables = [name for name in connection.introspection.table_names() if name not in kept]
    with connection.cursor() as cursor:
        names = ", ".join(map(connection.ops.quote_name, tables))
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    FILL[peer](count)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
