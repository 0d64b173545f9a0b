"""My data: the same answer to everybody; behind a mail's link everything, to see, take along, change and delete."""

import inspect
import json
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from campaigns.models import Partner
from letters import agreed, erasure_journal, inquiries, tokens
from letters.models import Delivery, Letter, Notice, Supporter
from letters.rights import Consent, Inquiry
from tests.web.supporters.conftest import SENTENCE, Dana, one_h1, page
from web.supporters import my

KNOWN, UNKNOWN = "dana@mail.example", "nobody@mail.example"


@pytest.fixture(autouse=True)
def _no_journal() -> None:
    (settings.DATA / erasure_journal.NAME).unlink(missing_ok=True)


def _ask(dana: Dana, email: str = KNOWN) -> HttpResponse:
    return dana.post("/my/", {"email": email})


def _link(dana: Dana) -> str:
    """Ask, let a worker answer, and return the address in the mail."""
    _ask(dana)
    assert inquiries.answer(now=timezone.now()) == 1
    return f"/my/open/{tokens.make(tokens.MY_DATA, bytes(Notice.objects.get(kind='my_data').key))}/"


def _open(dana: Dana) -> str:
    """Press the button behind the link; return the address of what it opens."""
    answer = dana.post(_link(dana))
    assert answer.status_code == 303
    return answer["Location"]


def _without_nonce(answer: HttpResponse) -> str:
    return re.sub(r'nonce="[^"]*"', "", page(answer))


def test_known_and_unknown_addresses_get_the_same_answer(dana: Dana) -> None:
    dana.confirm()
    answers = [_ask(dana, email) for email in (KNOWN, UNKNOWN)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert answers[0].content == answers[1].content
    shown = [_without_nonce(dana.get(answer["Location"])) for answer in answers]
    assert shown[0] == shown[1]
    assert "If we know this address, a link is on its way." in shown[0]
    assert Inquiry.objects.count() == 2


def test_the_page_that_takes_an_address_looks_nothing_up() -> None:
    """The same code path for every address: it writes a row, and reads none (RELIABILITY P24)."""
    for source in (inspect.getsource(my.my), inspect.getsource(inquiries.ask)):
        assert not re.search(r"Supporter|by_hash|\.filter\(|\.get\(pk|\.exists\(", source)


def test_what_is_no_address_is_said_so_whatever_is_known(dana: Dana) -> None:
    answer = _ask(dana, "dana@")
    assert answer.status_code == 422
    assert "Error: " in page(answer)
    assert 'value="dana@"' in page(answer)


def test_asking_without_end_is_429_with_a_time_and_what_was_typed(dana: Dana) -> None:
    for _ in range(my.MOST_ASKED):
        assert _ask(dana).status_code == 303
    answer = _ask(dana)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 600
    assert KNOWN in page(answer)
    assert Inquiry.objects.count() == my.MOST_ASKED


def test_a_link_that_a_scanner_follows_opens_nothing_and_works_once(dana: Dana) -> None:
    dana.confirm()
    link = _link(dana)
    for _ in range(20):
        answer = dana.get(link)
        assert answer.status_code == 200
        assert SENTENCE not in page(answer)
    opened = dana.post(link)
    assert opened.status_code == 303
    assert SENTENCE in page(dana.get(opened["Location"]))
    for again in (dana.get(link), dana.post(link)):
        assert again.status_code == 410
        assert "Get a new link" in page(again)


@pytest.mark.parametrize(("used_ago", "made_ago", "status"), [(30, 60, 200), (61, 90, 410)])
def test_what_a_link_opens_can_be_seen_for_an_hour(dana: Dana, used_ago: int, made_ago: int, status: int) -> None:
    dana.confirm()
    address, now = _open(dana), timezone.now()
    Notice.objects.filter(kind="my_data").update(
        used_at=now - timedelta(minutes=used_ago), created_at=now - timedelta(minutes=made_ago)
    )
    assert dana.get(address).status_code == status


def test_a_link_lives_a_day(dana: Dana) -> None:
    dana.confirm()
    link = _link(dana)
    Notice.objects.filter(kind="my_data").update(created_at=timezone.now() - timedelta(hours=25))
    assert dana.post(link).status_code == 410


def test_every_page_with_a_token_is_kept_nowhere(dana: Dana) -> None:
    dana.confirm()
    address = _open(dana)
    for path in ("/my/", address, f"{address}download/", f"{address}delete/"):
        answer = dana.get(path)
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex"
        assert not answer.cookies


@pytest.mark.parametrize("path", ["/my/open/{}/", "/my/see/{}/", "/my/see/{}/delete/", "/my/stop/{}/"])
def test_a_token_opens_its_own_door_alone(dana: Dana, path: str) -> None:
    dana.confirm()
    _open(dana)
    notice = Notice.objects.get(kind="my_data")
    doors = {"open": tokens.MY_DATA, "see": tokens.MY_OWN, "stop": tokens.STOP}
    own = doors[path.split("/")[2]]
    for purpose in (tokens.CONFIRM, tokens.STATUS, *doors.values()):
        if purpose != own:
            assert dana.get(path.format(tokens.make(purpose, bytes(notice.key)))).status_code == 404
    assert dana.post(path.format("nonsense")).status_code == 404


def test_everything_is_shown_with_the_words_that_were_agreed_to(dana: Dana) -> None:
    dana.post(dana.send(), {"code": dana.code(), "news": "yes"})
    html = page(dana.get(_open(dana)))
    assert SENTENCE in html
    assert dana.status() in html
    assert "Tell me what happens (Oil Workers' Aid, about 2 e-mails a month)." in html
    assert "Agreed on" in html


def test_unclear_copies_are_not_said_to_wait(dana: Dana) -> None:
    dana.confirm()
    waiting = Delivery.objects.order_by("pk").values_list("pk", flat=True)[:2]
    Delivery.objects.exclude(pk__in=list(waiting)).update(state="uncertain", attempts=2, ambiguous=2)
    address = _open(dana)
    assert "Stop 2 letters that wait" in page(dana.get(address))
    assert "2 letters that still wait are stopped." in page(dana.get(f"{address}delete/"))
    dana.post(address, {"deed": "stop", "letter": bytes(dana.letter().key).hex()})
    html = page(dana.get(address))
    assert "Taken back by you" not in html
    assert "that wait" not in html


def test_consent_is_withdrawn_and_given_again_per_organisation(dana: Dana) -> None:
    dana.post(dana.send(), {"code": dana.code(), "news": "yes"})
    address = _open(dana)
    organisation = dana.campaign.organisation.public_id
    dana.post(address, {"deed": "no-news", "organisation": organisation})
    assert Supporter.objects.get().wants_news_at is None
    dana.post(address, {"deed": "news", "organisation": organisation})
    assert Supporter.objects.get().wants_news_at is not None
    assert [kept.withdrawn_at is None for kept in Consent.objects.order_by("pk")] == [False, True]


def test_what_waits_is_stopped_and_nobody_elses(dana: Dana) -> None:
    dana.confirm(email="eve@mail.example")
    others = dana.letter()
    dana.confirm()
    mine, address = dana.letter(), _open(dana)
    assert dana.post(address, {"deed": "stop", "letter": bytes(others.key).hex()}).status_code == 404
    assert dana.post(address, {"deed": "stop", "letter": bytes(mine.key).hex()}).status_code == 303
    assert set(mine.deliveries.values_list("state", flat=True)) == {"cancelled"}
    assert set(others.deliveries.values_list("state", flat=True)) == {"queued"}


def test_the_file_is_given_after_a_check_step(dana: Dana) -> None:
    dana.confirm()
    address = f"{_open(dana)}download/"
    assert "Download your data?" in one_h1(dana.get(address))
    answer = dana.post(address)
    assert answer["Content-Type"] == "application/json"
    assert "attachment" in answer["Content-Disposition"]
    held = json.loads(answer.content)
    assert SENTENCE in held["campaigns"][0]["letters"][0]["text"]["body"]
    assert len(held["campaigns"][0]["letters"][0]["deliveries"]) == 30


def test_deleting_asks_first_then_leaves_nothing_and_says_so_behind_the_proof_alone(dana: Dana) -> None:
    dana.confirm()
    address = _open(dana)
    asked = dana.get(f"{address}delete/")
    assert "cannot be called back" in page(asked)
    assert Delivery.objects.filter(state="queued").count() == 30
    done = dana.post(f"{address}delete/")
    html = page(dana.get(done["Location"]))
    assert "We hold nothing about this address." in html
    assert "Deleted." in html
    assert not Delivery.objects.exclude(state="cancelled").exists()
    assert bytes(Letter.objects.get().sealed) == b""
    assert KNOWN not in html
    assert dana.post(f"{address}delete/").status_code == 303, "twice is harmless"
    _ask(dana)
    assert inquiries.answer(now=timezone.now()) == 0
    assert "We hold nothing" not in page(dana.get("/my/?asked=yes"))


def test_a_foreign_page_deletes_nothing(dana: Dana) -> None:
    dana.confirm()
    address = f"{_open(dana)}delete/"
    assert dana.post(address, {}, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert Delivery.objects.filter(state="queued").count() == 30


def test_a_mail_program_unsubscribes_with_one_post_from_anywhere(dana: Dana) -> None:
    dana.post(dana.send(), {"code": dana.code(), "news": "yes"})
    Letter.objects.update(passes_replies=True)
    address = f"/my/stop/{tokens.make(tokens.STOP, bytes(Supporter.objects.get().key))}/"
    assert "Send me nothing more" in page(dana.get(address))
    assert Supporter.objects.get().wants_news_at is not None
    answer = dana.browser.post(address, {"List-Unsubscribe": "One-Click"}, headers={"origin": "https://webmail.example"})
    assert answer.status_code == 200
    assert Supporter.objects.get().wants_news_at is None
    assert not Letter.objects.get().passes_replies


def test_who_stops_mail_is_told_beforehand_which_partners_may_write_no_more_either(dana: Dana) -> None:
    dana.post(dana.send(), {"code": dana.code()})
    supporter = Supporter.objects.get()
    address = f"/my/stop/{tokens.make(tokens.STOP, bytes(supporter.key))}/"
    assert "ends too" not in page(dana.get(address))
    ports = Partner.objects.create(campaign=supporter.campaign, slug="ports", name="Port Workers", consent_line="May.")
    assert agreed.agree(supporter, ports, words="May.", now=timezone.now())
    asked = page(dana.get(address))
    assert "What you agreed to towards others ends too." in asked
    assert "<bdi>Port Workers</bdi>" in asked
    dana.browser.post(address)
    assert not Consent.objects.filter(withdrawn_at=None).exists()


def test_the_status_page_and_a_wrong_link_lead_to_a_new_one(dana: Dana) -> None:
    dana.confirm()
    assert 'href="/my/?lang=en"' in page(dana.get(dana.status()))
    lost = dana.get("/letter/nonsense/")
    assert lost.status_code == 404
    assert "Get a new link" in page(lost)
