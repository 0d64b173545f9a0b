"""Mail that comes in: bounces of real shapes, answers by people and machines, forged names. Nothing is answered."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command

from letters import arrivals, incoming, mime, replies, reports, statistics, tokens
from letters.arrivals import What
from letters.feedback import ArrivalTally, Reply, Report
from letters.incoming import Mail
from letters.models import Delivery, Letter, Notice
from targets.models import Address
from tests import cast
from tests.letters import deeds, shapes

pytestmark = pytest.mark.django_db
MY = settings.MAIL_DOMAIN


@pytest.fixture(autouse=True)
def _no_counts_of_earlier_tests() -> None:
    arrivals.forget_gathered()


@pytest.fixture
def sent(letter: Letter) -> Delivery:
    """Return Dana's delivery to Anna Lund, taken by the mail server an hour ago; no mail to Dana is due."""
    deeds.send_all()
    Delivery.objects.update(sent_at=cast.NOW - timedelta(hours=1))
    Notice.objects.all().delete()
    return Delivery.objects.select_related("address", "letter").get(target__name="Anna Lund")


def to(door: str, delivery: Delivery) -> str:
    """Return an address of ours that names a delivery."""
    return f"{door}-{tokens.reference(delivery.pk)}@{MY}"


def take(to: str, sender: str, data: bytes, **later: float) -> What:
    """Take a mail in."""
    return incoming.take(Mail(to, sender, data), now=cast.NOW + timedelta(**later))


def an_answer(
    delivery: Delivery, *, head: str = "", text: str = "Thank you for your letter.", name: str = "Re: strike"
) -> bytes:
    """Return what an office writes back."""
    lines = [
        f"From: Anna Lund <{delivery.address.value}>", f"Subject: {name}", "Message-ID: <77@northland.example>",
        f"In-Reply-To: <{tokens.reference(delivery.pk)}@{MY}>", 'Content-Type: text/plain; charset="utf-8"',
        *([head] if head else []),
    ]  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n" + text + "\r\n").encode()


@pytest.mark.parametrize("name", list(shapes.KINDS))
def test_a_bounce_of_a_real_shape_is_read_for_what_it_is(sent: Delivery, name: str) -> None:
    kind = shapes.KINDS[name]
    shape = kind.make(tokens.reference(sent.pk))
    address = f"complaints@{MY}" if "spam" in name or name == "complaint" else to("return", sent)
    assert incoming.refusal(address, sender=shape.sender, now=cast.NOW) == ""
    assert take(address, shape.sender, shape.data) == kind.what
    sent.refresh_from_db()
    assert (sent.state, sent.feedback) == ("sent", kind.feedback)
    if kind.feedback >= 3:
        report = Report.objects.get()
        assert (report.kind, report.status, report.source) == (kind.feedback, kind.status, "mail")
    else:
        assert not Report.objects.exists()
    status = Address.objects.get(pk=sent.address_id).status
    assert status == ("bouncing" if kind.is_bad_address else "working")
    assert not Notice.objects.exists(), "nothing is ever answered"
    assert ArrivalTally.objects.get().what == kind.what
    again = take(address, shape.sender, shape.data)
    assert again == ("repeated" if kind.what in {"taken", "automatic"} else kind.what)
    assert statistics.recount(sent.campaign) == 0


@pytest.mark.parametrize("name", list(shapes.KINDS))
def test_no_shape_counts_for_a_forged_name_or_a_delivery_never_sent(letter: Letter, name: str) -> None:
    delivery = deeds.deliveries(letter)[0]
    shape = shapes.KINDS[name].make(tokens.reference(delivery.pk))
    forged = shapes.KINDS[name].make("1-" + "0" * 32)
    assert take(to("return", delivery), shape.sender, shape.data) != What.TAKEN
    assert take(f"return-1-{'0' * 32}@{MY}", forged.sender, forged.data) != What.TAKEN
    assert take("", forged.sender, forged.data) != What.TAKEN
    assert not Report.objects.exists()
    assert set(Delivery.objects.values_list("state", "feedback")) == {("queued", 0)}


@pytest.mark.parametrize(
    "address",
    ["return-1-{zeros}@{my}", "reply-1-{zeros}@{my}", "return-{other}@{my}", "return-{mine}@elsewhere.example",
     "someone@{my}", "postmaster@{my}", "return-{mine}x@{my}", "return-@{my}", "", "<>", "return-{mine}",
     "bounce-{mine}@{my}"],
)  # fmt: skip
def test_an_address_that_we_did_not_make_does_not_exist(sent: Delivery, address: str) -> None:
    named = address.format(
        zeros="0" * 32, my=MY, mine=tokens.reference(sent.pk), other=tokens.reference(sent.pk + 1000)
    )
    assert "does not exist" in incoming.refusal(named, sender="a@b.example", now=cast.NOW)
    incoming.count_refusal(named)
    assert sum(row.count for row in arrivals.days(since=cast.NOW)) == 1


def test_a_return_path_is_good_for_a_fortnight_and_an_address_for_answers_for_ninety_days(sent: Delivery) -> None:
    for door, lasts_for in (("return", incoming.RETURNS_FOR), ("reply", incoming.REPLIES_FOR)):
        last = cast.NOW - timedelta(hours=1) + lasts_for
        assert incoming.refusal(to(door, sent), sender="", now=last) == ""
        assert incoming.refusal(to(door, sent), sender="", now=last + timedelta(seconds=1)) != ""
    shape = shapes.postfix(tokens.reference(sent.pk))
    assert take(f"letter@{MY}", "", shape.data, days=15) == What.EXPIRED
    assert take(to("reply", sent), "office@northland.example", an_answer(sent), days=91) == What.EXPIRED
    assert not Report.objects.exists()


def test_upper_case_and_brackets_do_not_matter(sent: Delivery) -> None:
    shape = shapes.postfix(tokens.reference(sent.pk))
    assert take(f"<{to('return', sent).upper()}>", "", shape.data) == What.TAKEN


def test_a_bounce_to_the_letters_own_address_is_known_by_the_letter_it_returns(sent: Delivery) -> None:
    shape = shapes.exchange(tokens.reference(sent.pk))
    assert take(f"letter@{MY}", "", shape.data) == What.TAKEN
    assert Report.objects.get().delivery_id == sent.pk


def test_a_bounce_for_somebody_else_in_the_house_does_not_condemn_the_address(sent: Delivery) -> None:
    shape = shapes.postfix(tokens.reference(sent.pk))
    assert take(to("return", sent), "", shape.data.replace(b"office@", b"former.aide@")) == What.TAKEN
    sent.refresh_from_db()
    assert sent.feedback == Delivery.Feedback.BOUNCED
    assert Address.objects.get(pk=sent.address_id).status == "working"


def test_mail_to_supporters_that_comes_back_is_counted_and_nothing_more(sent: Delivery) -> None:
    notice = f"<notice-12-{'a' * 12}@{MY}>".encode()
    shape = shapes.postfix("1-" + "0" * 32)
    data = shape.data.replace(f"<1-{'0' * 32}@{MY}>".encode(), notice)
    assert take(f"confirm@{MY}", "", data) == What.ABOUT_NOTICE
    assert incoming.refusal(f"confirm@{MY}", sender="", now=cast.NOW) == ""
    assert "Nobody reads" in incoming.refusal(f"answers@{MY}", sender="dana@mail.example", now=cast.NOW)
    assert take(f"answers@{MY}", "dana@mail.example", b"Subject: thanks\r\n\r\nThanks!\r\n") == What.UNKNOWN


@pytest.mark.parametrize("door", ["reply", "letter"])
def test_a_persons_answer_is_kept_encrypted_and_passed_on_once(sent: Delivery, door: str) -> None:
    address = to("reply", sent) if door == "reply" else f"letter@{MY}"
    assert take(address, "office@northland.example", an_answer(sent)) == What.REPLY
    assert take(address, "office@northland.example", an_answer(sent)) == What.REPEATED
    reply = Reply.objects.select_related("campaign").get()
    assert (reply.delivery_id, reply.is_automatic, reply.received_at) == (sent.pk, False, cast.NOW)
    assert b"Thank you" not in bytes(reply.sealed)
    answer = replies.read(reply)
    assert answer is not None
    assert (answer.subject, answer.text, answer.is_cut) == ("Re: strike", "Thank you for your letter.", False)
    assert (answer.name, answer.address) == ("Anna Lund", "office@northland.example")
    notice = Notice.objects.get()
    assert (notice.kind, notice.reply_id, notice.supporter_id) == ("reply", reply.pk, sent.letter.supporter_id)
    assert list(replies.of_campaign(sent.campaign)) == [reply]


@pytest.mark.parametrize(
    "head",
    ["Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated (vacation)", "Precedence: bulk",
     "Precedence: auto_reply", "X-Autoreply: yes", "X-Autorespond: away", "List-Id: <list.northland.example>"],
)  # fmt: skip
def test_what_a_machine_says_of_itself_is_counted_and_neither_passed_on_nor_answered(sent: Delivery, head: str) -> None:
    assert take(to("reply", sent), "office@northland.example", an_answer(sent, head=head)) == What.AUTOMATIC
    assert Reply.objects.get().is_automatic
    assert not Notice.objects.exists()
    assert not replies.of_campaign(sent.campaign).exists()


@pytest.mark.parametrize(("door", "sender"), [("return", "office@northland.example"), ("reply", "")])
def test_what_comes_by_the_machines_way_is_a_machines(sent: Delivery, door: str, sender: str) -> None:
    assert take(to(door, sent), sender, an_answer(sent)) == What.AUTOMATIC


@pytest.mark.parametrize(
    "name",
    ["Out of office: your letter", "Automatic reply: The oil workers", "Abwesenheitsnotiz: Streik",
     "Réponse automatique", "Respuesta automática", "Automatisch antwoord", "Автоответ: забастовка",
     "Re: Out of the Office"],
)  # fmt: skip
def test_the_subject_of_an_absence_is_a_hint_that_a_person_may_contradict(sent: Delivery, name: str) -> None:
    answer = an_answer(sent, name=name)
    assert take(to("reply", sent), "office@northland.example", answer) == What.REPLY, "an hour later: perhaps a person"
    Reply.objects.all().delete()
    at_once = cast.NOW - timedelta(hours=1) + timedelta(seconds=20)
    mail = Mail(to("reply", sent), "office@northland.example", answer)
    assert incoming.take(mail, now=at_once) == What.AUTOMATIC
    Reply.objects.all().delete()
    marked = an_answer(sent, name=name, head="X-Auto-Response-Suppress: All")
    assert take(to("reply", sent), "office@northland.example", marked) == What.AUTOMATIC


def test_an_answer_with_another_subject_is_a_persons_however_quick(sent: Delivery) -> None:
    assert take(to("reply", sent), "office@northland.example", an_answer(sent), hours=-1) == What.REPLY


def test_only_so_many_answers_to_one_delivery_are_kept(sent: Delivery) -> None:
    made = [
        take(to("reply", sent), "office@northland.example", an_answer(sent, text=f"Answer {n}")) for n in range(12)
    ]
    assert made == [What.REPLY] * 10 + [What.TOO_MANY] * 2
    assert Reply.objects.count() == Notice.objects.count() == 10


def test_an_answer_to_nothing_of_ours_is_dropped(sent: Delivery) -> None:
    assert take(f"letter@{MY}", "a@b.example", b"Subject: hello\r\n\r\nBuy this\r\n") == What.UNKNOWN
    assert take("", "a@b.example", b"To: nobody@elsewhere.example\r\n\r\nBuy this\r\n") == What.UNKNOWN
    assert not Reply.objects.exists()


def test_an_answer_to_what_was_never_sent_is_dropped(letter: Letter) -> None:
    delivery = deeds.deliveries(letter)[0]
    assert take(to("reply", delivery), "office@northland.example", an_answer(delivery)) == What.NEVER_SENT


def test_a_provider_that_tells_no_envelope_is_believed_by_its_headers(sent: Delivery) -> None:
    data = an_answer(sent, head=f"Delivered-To: {to('reply', sent)}")
    assert take("", "office@northland.example", data) == What.REPLY


def test_an_html_answer_becomes_plain_text_without_what_is_fetched(sent: Delivery) -> None:
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body><p>Dear Ms Writer,</p><script>alert(1)</script>"
        '<p>see <a href="https://evil.example/x">our page</a><img src="https://evil.example/pixel"> &amp; more</p>'
    )
    data = an_answer(sent, text=html).replace(b"text/plain", b"text/html")
    take(to("reply", sent), "office@northland.example", data)
    answer = replies.read(Reply.objects.select_related("campaign").get())
    assert answer is not None
    assert answer.text == "Dear Ms Writer,\n\nsee our page & more"


def test_a_long_answer_is_cut_and_control_characters_are_left_out(sent: Delivery) -> None:
    text = "\u202eabc\x1b[31m\x00d " + "ü" * 30_000
    take(to("reply", sent), "office@northland.example", an_answer(sent, text=text))
    answer = replies.read(Reply.objects.select_related("campaign").get())
    assert answer is not None
    assert answer.text.startswith("abc[31md ü")
    assert len(answer.text.encode()) <= replies.MOST_BYTES
    assert answer.is_cut


def test_attachments_are_not_kept(sent: Delivery) -> None:
    body = (
        "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF\r\n"
        "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nsecret.txt\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nThe answer\r\n--b--\r\n"
    )
    data = an_answer(sent, text=body).replace(b'text/plain; charset="utf-8"', b'multipart/mixed; boundary="b"', 1)
    take(to("reply", sent), "office@northland.example", data)
    answer = replies.read(Reply.objects.select_related("campaign").get())
    assert answer is not None
    assert answer.text == "The answer"


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n", b"\0\0\0", b"Content-Type: multipart/mixed\r\n\r\n--\r\n",
     b"Content-Type: text/plain; charset=hex\r\n\r\nzz", b"Content-Transfer-Encoding: base64\r\n\r\n!!!!",
     b"Subject: =?utf-8?b?!!!?=\r\n\r\nx", b"From: \xff\xfe\r\n\r\n\xff",
     b"Content-Type: message/rfc822\r\n\r\n" * 2000,
     b"Content-Type: multipart/report; boundary=x\r\n\r\n" + b"--x\r\n" * 90_000],
)  # fmt: skip
def test_whatever_is_thrown_at_it_nothing_breaks(sent: Delivery, data: bytes) -> None:
    for address in (to("return", sent), to("reply", sent), f"letter@{MY}", ""):
        for sender in ("", "office@northland.example"):
            assert take(address, sender, data) in What


def test_a_part_in_another_charset_is_read_as_well_as_can_be() -> None:
    part = mime.read(b"Content-Type: text/plain; charset=koi8-r\r\n\r\n" + "Нет".encode("koi8-r"))
    assert part.text == "Нет"
    assert mime.read(b"Content-Type: text/plain; charset=punycode\r\n\r\n\xe9").text == "é"


def test_depth_and_number_of_parts_are_bounded() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(500))
    part, levels = mime.read(deep), 0
    while part.parts:
        part, levels = part.parts[0], levels + 1
    assert levels == mime.MOST_NESTED
    wide = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\nx\r\n" * 50_000
    assert len(mime.read(wide).parts) < mime.MOST_PARTS


def test_a_report_says_the_worst_of_several_addresses() -> None:
    shape = shapes.postfix("1-" + "0" * 32)
    good = b"Final-Recipient: rfc822; a@b.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\nFinal-Recipient:"
    told = reports.read(mime.read(shape.data.replace(b"Final-Recipient:", good, 1)), sender="")
    assert (told.kind, told.status) == (reports.Kind.BOUNCED, "5.1.1")
    assert told.addresses == {"a@b.example", shapes.ADDRESS}


def test_the_command_shows_what_came_in(sent: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    take(f"letter@{MY}", "a@b.example", b"Subject: x\r\n\r\n")
    call_command("feedback")
    assert "mail: unknown 1" in capsys.readouterr().out


def test_a_mail_shows_nothing_of_itself_where_it_is_printed(sent: Delivery) -> None:
    assert "Thank you" not in repr(Mail(to("reply", sent), "x@y.example", an_answer(sent)))
