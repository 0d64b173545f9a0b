"""An installation full of letters that wait: `python -m bench.filling LETTERS`, in the environment of its settings.

The campaign, its list and the first letters are made by the product's own deeds. All further ones are copies of such a
letter, row by row, in which everything of the supporter's is another's: names, text, seal, keys. They are made in sets,
because a million deliveries would take an hour otherwise.
"""

import json
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import django

django.setup()

from django.db import connection, models, transaction  # noqa: E402  Django has to be set up before
from django.db.models import F  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Organisation  # noqa: E402
from bench import work  # noqa: E402
from campaigns import publishing  # noqa: E402
from campaigns.models import Ask, Campaign  # noqa: E402
from letters import composing, notices, privacy, statistics, supporters, writing  # noqa: E402
from letters.composing import Content  # noqa: E402
from letters.models import Delivery, HourTally, Letter, Notice, Supporter  # noqa: E402
from letters.signals import something_waits  # noqa: E402
from targets import lists, suppressions  # noqa: E402

WRITTEN = 5  # letters that go the whole way: begun, revised, sent, confirmed
BATCH = 1000  # letters inserted at once
_WORDING = {
    "subject": work.SUBJECT,
    "salutation": "{{ target.salutation }},",
    "body": "I have read about the oil workers of Zhanaozen, and I put what I think of it into words of my own.",
    "closing": "Yours sincerely\n\n{{ supporter.name }}, {{ supporter.town }}",
}
_PAGE = {
    "title": "Ask ministers to speak up for the oil workers",
    "summary": "Thousands of oil workers are on strike. A letter shows that they are seen.",
    "question": "Why does this matter to you?",
}


def fill(count: int, *, now: datetime) -> dict[str, int]:
    """Make a campaign and so many confirmed letters in an empty database; return how many deliveries wait, and their
    mean length in bytes.

    Raises AssertionError where what was made is not what a supporter would have made.
    """
    something_waits.disconnect(dispatch_uid="doorbell")  # nobody listens yet
    ask = _ask(now=now)
    begun_at = now - timedelta(milliseconds=count)  # a letter each millisecond
    for number in range(min(WRITTEN, count)):
        letter = _write(ask, number, now=begun_at + timedelta(milliseconds=number))
    if count > WRITTEN:
        _copy(letter, range(WRITTEN, count), begun_at=begun_at)
        statistics.recount(ask.campaign, repair=True)
    Notice.objects.all().delete()  # the confirmation mails are not what is measured
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    waiting = _checked(ask.campaign, count)
    return {"deliveries": waiting, "bytes_each": _bytes_each(letter)}


def _ask(*, now: datetime) -> Ask:
    organisation = Organisation.objects.create(name="Oil Workers' Aid")
    campaign = publishing.create(
        organisation=organisation, by=None, wrapped_key=privacy.new_wrapped_key(), slug="oil-workers", language="en",
        deadline="16 December 2011", text=_PAGE,
    )  # fmt: skip
    ministers = lists.create_list(organisation=organisation, name="Ministers", kind="leaders")
    for number in range(work.TARGETS):
        lists.save_target(target_list=ministers, values=work.target(number)._asdict(), uncapped=True)
    ask = publishing.save_ask(
        campaign=campaign, by=None, target_list=ministers, title="A letter to ministers", slug="ministers",
        shows_town=True,
    )  # fmt: skip
    template, findings = publishing.save_template(ask=ask, by=None, language="en", passages=_WORDING)
    assert template is not None, findings
    assert publishing.publish(campaign=campaign, by=None, now=now)
    return ask


def _write(ask: Ask, number: int, *, now: datetime) -> Letter:
    """Write a letter and confirm it, as its supporter would through the pages."""
    who = work.supporter(number)
    letter = writing.begin(ask=ask, language="en", now=now)
    posted = {"name": who.name, "email": who.email, "town": who.town, "body": work.body(number)}
    writing.revise(letter, posted=posted, now=now)
    assert not writing.submit(letter, now=now)
    notice = notices.open_confirmation(letter)
    assert notice is not None
    assert writing.confirm_by_link(notice, chosen=None, now=now)
    letter.refresh_from_db()
    return letter


def _copy(first: Letter, numbers: range, *, begun_at: datetime) -> None:
    """Add the letters of these numbers, each with its supporter and its deliveries, after the pattern of `first`."""
    pattern = writing.read(first)
    with transaction.atomic():
        for start in range(numbers.start, numbers.stop, BATCH):
            written = range(start, min(start + BATCH, numbers.stop))
            contents = [_content(pattern, first, number) for number in written]
            people = Supporter.objects.bulk_create([_supporter(first, content) for content in contents])
            Letter.objects.bulk_create(
                _letter(first, content, who, confirmed_at=begun_at + timedelta(milliseconds=number))
                for number, content, who in zip(written, contents, people, strict=True)
            )
        _copy_deliveries(first)
        # Copies of one letter have its number of own words.
        own = HourTally.objects.filter(measure__in=[measure for measure, _ in statistics.OWN_WORDS], count__gt=0)
        kept = own.order_by("pk").first()
        assert kept is not None
        HourTally.objects.filter(pk=kept.pk).update(count=F("count") + len(numbers))


def _content(pattern: Content, first: Letter, number: int) -> Content:
    who = work.supporter(number)
    own = replace(pattern, body=work.body(number), name=who.name, email=who.email, town=who.town)
    return composing.pinned(own, first.ask, first.template.language)


def _supporter(first: Letter, content: Content) -> Supporter:
    who = Supporter(
        campaign=first.campaign, address_hash=suppressions.address_hash(content.email), language=first.language,
        proven_at=first.confirmed_at,
    )  # fmt: skip
    supporters.keep(who, content)
    return who


def _letter(first: Letter, content: Content, who: Supporter, *, confirmed_at: datetime) -> Letter:
    same = {field.attname: getattr(first, field.attname) for field in Letter._meta.concrete_fields}  # noqa: SLF001
    del same["id"], same["key"]
    letter = Letter(**same | {"supporter_id": who.pk, "confirmed_at": confirmed_at, "created_at": confirmed_at})
    letter.sealed = privacy.seal(first.campaign, table="letter", row=bytes(letter.key), values=content.values())
    return letter


def _copy_deliveries(first: Letter) -> None:
    """Give each letter that has none the deliveries that `first` was given when it was confirmed."""
    own = {"letter_id": "l.id", "due_at": "l.confirmed_at", "created_at": "l.confirmed_at"}
    columns = [_column(field) for field in Delivery._meta.concrete_fields if not field.primary_key]  # noqa: SLF001
    names = ", ".join(columns)
    values = ", ".join(own.get(name, f"d.{name}") for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO letters_delivery ({names}) SELECT {values} "  # noqa: S608  the model's own columns
            "FROM letters_letter l JOIN letters_delivery d ON d.letter_id = %s WHERE l.id > %s ORDER BY l.id, d.id",
            [first.pk, first.pk],
        )


def _column(field: "models.Field[Any, Any]") -> str:
    assert field.column is not None
    return field.column


def _checked(campaign: Campaign, count: int) -> int:
    ledger = statistics.ledger(campaign)
    waiting = Delivery.objects.filter(state="queued", attempts=0, due_at__lte=timezone.now()).count()
    assert waiting == count * work.TARGETS == ledger.total, (waiting, ledger.counts)
    assert ledger.adds_up
    assert not statistics.recount(campaign)
    assert statistics.people_who_wrote(campaign) == count
    letters = Letter.objects.select_related("campaign", "template").order_by("pk")
    for number, letter in enumerate(letters.iterator()):
        if number % max(count // 50, 1) == 0 or number == count - 1:
            finisher = composing.Finisher(letter.template, writing.read(letter), draw=letter.draw)
            to = number % work.TARGETS
            values = {"name": work.target(to).name, "salutation": work.target(to).salutation}
            assert finisher.finish(values).text == work.text(number, to), number
    return waiting


def _bytes_each(letter: Letter) -> int:
    finisher = composing.Finisher(letter.template, writing.read(letter), draw=letter.draw)
    total = 0
    for one in letter.deliveries.select_related("version", "address"):
        message = composing.message(
            delivery_id=one.pk, letter=finisher.finish(one.version.values), to_name=one.version.values["name"],
            to_address=one.address.value, date=one.created_at,
        )  # fmt: skip
        total += len(message.data)
    return total // work.TARGETS


if __name__ == "__main__":
    print(json.dumps(fill(int(sys.argv[1]), now=timezone.now())))
    connection.close()  # or SQLite's file might not be whole without the one beside it
