"""What a target answered, passed on to whoever wrote the letter: plain text, no attachment, no HTML, never answered."""

from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from campaigns import publishing
from letters import replies, writing
from letters.composing import WIRE, Message, finished, mailbox
from letters.models import Notice

RULE = "- " * 20
SENDER = "answers"  # its mail is taken for nothing but bounces (letters.incoming)


def compose(notice: Notice, to: str) -> Message | None:
    """Return the mail that passes an answer on; None once the answer is forgotten."""
    answer = replies.read(notice.reply) if notice.reply is not None else None
    if answer is None or notice.reply is None:
        return None
    letter, campaign = notice.letter, notice.supporter.campaign
    with translation.override(letter.language):
        context = {
            "target": str(notice.reply.delivery.version.values.get("name", "")),
            "received_on": notice.reply.received_at,
            "sender": " ".join(part for part in (answer.name, answer.address) if part),
            "subject": answer.subject,
            "text": answer.text,
            "is_cut": answer.is_cut,
            "is_hidden": not writing.read(letter).reply_to,
            "organisation": campaign.organisation.name,
            "campaign_title": publishing.page_text(campaign, letter.language).title,
            "rule": RULE.strip(),
        }
        subject = " ".join(render_to_string("reply/subject.txt", context, using="jinja2").split())
        text = render_to_string("reply/body.txt", context, using="jinja2")
    domain = settings.MAIL_DOMAIN
    mail = EmailMessage(policy=WIRE)
    mail["From"] = mailbox(campaign.organisation.name, f"{SENDER}@{domain}")
    mail["To"] = mailbox("", to)
    mail["Subject"] = subject[:200]
    mail["Date"] = format_datetime(notice.created_at)
    mail["Message-ID"] = f"<answer-{notice.pk}-{bytes(notice.key).hex()[:12]}@{domain}>"
    mail["Auto-Submitted"] = "auto-forwarded"  # so that no machine answers it (RFC 3834 §5, RFC 5436 §2.7.1)
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text, cte="quoted-printable")
    data = finished(mail)
    return Message(notice.pk, f"{SENDER}@{domain}", to, data, sha256(data).hexdigest())
