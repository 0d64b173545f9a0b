"""What a target answered, passed on to whoever wrote the letter: plain text, no attachment, no HTML, never answered."""

from django.utils import translation

from campaigns import publishing
from letters import replies, writing
from letters.composing import Message
from letters.models import Notice
from worker.automatic_mail import FORWARDED
from worker.plain_mail import RULE, plain, unsubscribing

SENDER = "answers"  # its mail is taken for nothing but bounces (letters.incoming)


def compose(notice: Notice, to: str) -> Message | None:
    """Return the mail that passes an answer on; None once the answer is forgotten."""
    answer = replies.read(notice.reply) if notice.reply is not None else None
    if answer is None or notice.reply is None or notice.letter is None:
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
            "rule": RULE,
        }
        return plain(
            notice, to, template="reply", context=context, sender=SENDER, named="answer",
            kind=FORWARDED,  # so that no machine answers it
            headers=unsubscribing(notice),
        )  # fmt: skip
