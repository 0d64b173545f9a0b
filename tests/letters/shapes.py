"""What mail servers and answering machines really send: their shapes, in our own words and with reserved names.

Each shape is made for one delivery, so that a test can send it for many. `expected` is what a reader must make of it.
"""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ADDRESS = "office@northland.example"  # the target's
DOMAIN = "letters.postbag.example"


@dataclass(frozen=True)
class Shape:
    """A mail: from whom it comes in the envelope, and its bytes."""

    sender: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Kind:
    """A shape to be made for a delivery's reference; `feedback` is 0 where it must change none."""

    make: Callable[[str], Shape]
    feedback: int
    status: str = ""
    is_bad_address: bool = False
    what: str = "taken"


def _mail(sender: str, head: str, body: str, *, coding: str = "utf-8") -> Shape:
    text = f"{textwrap.dedent(head).strip()}\n\n{textwrap.dedent(body).lstrip()}"
    return Shape(sender, text.replace("\n", "\r\n").encode(coding))


def returned_letter(reference: str) -> str:
    """Return the headers of one of our letters, as servers return them."""
    return textwrap.dedent(f"""\
        From: Dana Writer via {DOMAIN} <letter@{DOMAIN}>
        To: Anna Lund <{ADDRESS}>
        Subject: The oil workers of Zhanaozen
        Message-ID: <{reference}@{DOMAIN}>
        X-Postbag-Delivery: {reference}
        MIME-Version: 1.0
        Content-Type: text/plain; charset="utf-8"
        """)


def _report(
    reference: str, *, fields: str, text: str, subject: str = "Undelivered Mail Returned to Sender",
    sender: str = "", more: str = "", last: str = "message/rfc822", auto: str = "auto-replied", boundary: str = "=_b0",
) -> Shape:  # fmt: skip
    fields = textwrap.dedent(fields).strip()
    letter = returned_letter(reference)
    parts = [
        f"Content-Type: text/plain; charset=us-ascii\n\n{textwrap.dedent(text).strip()}\n",
        f"Content-Type: message/delivery-status\n\n{fields}\n",
    ]
    if last:
        text = "" if "headers" in last else "\nDear Prime Minister,"
        parts.append(f"Content-Type: {last}\n\n{letter}{text}\n")
    body = "".join(f"--{boundary}\n{part}\n" for part in parts) + f"--{boundary}--\n"
    head = "\n".join(
        line for line in (
            "From: MAILER-DAEMON@mx.northland.example (Mail Delivery System)", f"Subject: {subject}",
            f"To: return-{reference}@{DOMAIN}", f"Auto-Submitted: {auto}" if auto else "", "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type=delivery-status;\n\tboundary="{boundary}"',
            "Message-Id: <20111123.4711@mx.northland.example>", textwrap.dedent(more).strip(),
        ) if line
    )  # fmt: skip
    return _mail(sender, head, body)


def postfix(reference: str) -> Shape:
    """Postfix, mailbox unknown, the whole letter returned."""
    return _report(
        reference, boundary="8D1F.1322042/mx.northland.example", text=f"""\
            This is the mail system at host mx.northland.example.

            I'm sorry to have to inform you that your message could not be delivered to one or more addressees.
            <{ADDRESS}>: host 192.0.2.7[192.0.2.7] said: 550 5.1.1 <{ADDRESS}>: unknown (in reply to RCPT TO command)
        """, fields=f"""\
            Reporting-MTA: dns; mx.northland.example
            X-Postfix-Queue-ID: 8D1F
            Arrival-Date: Wed, 23 Nov 2011 10:00:00 +0000 (UTC)

            Final-Recipient: rfc822; {ADDRESS}
            Original-Recipient: rfc822;{ADDRESS}
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; 192.0.2.7
            Diagnostic-Code: smtp; 550 5.1.1 <{ADDRESS}>: Mailbox unknown
        """,
    )  # fmt: skip


def postfix_delayed(reference: str) -> Shape:
    """Postfix, after four hours: it goes on trying."""
    return _report(
        reference, subject="Delayed Mail (still being retried)", last="text/rfc822-headers", text="""\
            THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE. It could not be delivered for 4.0 hours.
        """, fields=f"""\
            Reporting-MTA: dns; mx.northland.example

            Final-Recipient: rfc822; {ADDRESS}
            Action: delayed
            Status: 4.4.1
            Diagnostic-Code: X-Postfix; connect to 192.0.2.7[192.0.2.7]:25: Connection timed out
            Will-Retry-Until: Mon, 28 Nov 2011 10:00:00 +0000 (UTC)
        """,
    )  # fmt: skip


def postfix_expired(reference: str) -> Shape:
    """Postfix, after five days: a passing error that became a lasting one."""
    return _report(
        reference, last="text/rfc822-headers", text="delivery temporarily suspended: expired", fields=f"""\
            Reporting-MTA: dns; relay.postbag.example

            Final-Recipient: rfc822; {ADDRESS}
            Action: failed
            Status: 4.4.1
            Diagnostic-Code: X-Postfix; connect to 192.0.2.7[192.0.2.7]:25: Connection timed out
        """,
    )  # fmt: skip


def delivered(reference: str) -> Shape:
    """A server that was asked for a notification of success."""
    return _report(reference, subject="Successful Mail Delivery Report", text="It was delivered.", fields=f"""\
        Reporting-MTA: dns; mx.northland.example

        Final-Recipient: rfc822; {ADDRESS}
        Action: delivered (to mailbox)
        Status: 2.0.0
        Diagnostic-Code: X-Postfix; delivered to mailbox
    """)  # fmt: skip


def relayed(reference: str) -> Shape:
    """A server that only passed it on: nothing certain."""
    return _report(reference, subject="Relayed", text="It was relayed.", fields=f"""\
        Reporting-MTA: dns; mx.northland.example

        Final-Recipient: rfc822; {ADDRESS}
        Action: relayed
        Status: 2.1.9
    """)  # fmt: skip


def exchange(reference: str) -> Shape:
    """Exchange: nothing of use in plain text, an IMCEAEX-like address, the cause in the diagnostic code."""
    return _report(
        reference, subject="Undeliverable: The oil workers of Zhanaozen", auto="",
        more="X-MS-Exchange-Message-Is-Ndr:\nX-Auto-Response-Suppress: DR, OOF, AutoReply", text=f"""\
            Your message to {ADDRESS} couldn't be delivered.
            office wasn't found at northland.example.
        """, fields=f"""\
            Reporting-MTA: dns;NORTHMBX01.northland.example
            Received-From-MTA: dns;{DOMAIN}
            Arrival-Date: Wed, 23 Nov 2011 10:00:00 +0000

            Final-Recipient: rfc822;{ADDRESS}
            Action: failed
            Status: 5.1.10
            Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup
        """,
    )  # fmt: skip


def exchange_policy(reference: str) -> Shape:
    """Exchange, one block for everything, without Original-Recipient: a rule of the house refused it."""
    return _report(
        reference, subject="Undeliverable: The oil workers", last="", text="Delivery has failed to these addresses.",
        fields=f"""\
            Reporting-MTA: dns;NORTHMBX01.northland.example
            Final-Recipient: rfc822;{ADDRESS.title()}
            Action: failed
            Status: 5.7.1
            Diagnostic-Code: smtp;550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by policy
        """,
    )  # fmt: skip


def exim(reference: str) -> Shape:
    """Exim: no report, but X-Failed-Recipients."""
    return _mail("", f"""\
        X-Failed-Recipients: {ADDRESS}
        Auto-Submitted: auto-replied
        From: Mail Delivery System <Mailer-Daemon@mx.northland.example>
        To: return-{reference}@{DOMAIN}
        Subject: Mail delivery failed: returning message to sender
        Message-Id: <E1RT-0001@mx.northland.example>
    """, f"""\
        This message was created automatically by mail delivery software.

        A message that you sent could not be delivered to one or more of its
        addressees. This is a permanent error. The following address(es) failed:

          {ADDRESS}
            SMTP error from remote mail server after RCPT TO:<{ADDRESS}>:
            host mail.northland.example [192.0.2.7]: 550 5.1.1 No such user here

        ------ This is a copy of the message, including all the headers. ------

        {textwrap.indent(returned_letter(reference), "        ").strip()}
    """)  # fmt: skip


def exim_delayed(reference: str) -> Shape:
    """Exim, after a day: a warning."""
    return _mail("", f"""\
        Auto-Submitted: auto-replied
        From: Mail Delivery System <Mailer-Daemon@mx.northland.example>
        To: return-{reference}@{DOMAIN}
        Subject: Warning: message 1RT-0001 delayed 24 hours
    """, f"""\
        This message was created automatically by mail delivery software.
        A message that you sent has not yet been delivered to one or more of its
        addressees after more than 24 hours on the queue on mx.northland.example.

          {ADDRESS}
            host mail.northland.example [192.0.2.7]
            Delay reason: 451 4.2.0 greylisted

        No action is required on your part. Delivery attempts will continue for
        some time, and this warning may be repeated at intervals.
    """)  # fmt: skip


def gmail(reference: str) -> Shape:
    """Gmail: a report inside multipart/related, X-Failed-Recipients besides."""
    shape = _report(
        reference, subject="Delivery Status Notification (Failure)", more=f"X-Failed-Recipients: {ADDRESS}",
        text=f"""\
            ** Address not found **
            Your message wasn't delivered to {ADDRESS} because the address couldn't be found.
        """, fields=f"""\
            Reporting-MTA: dns; googlemail.test
            Received-From-MTA: dns; return-{reference}@{DOMAIN}
            Arrival-Date: Wed, 23 Nov 2011 02:00:00 -0800 (PST)
            X-Original-Message-ID: <{reference}@{DOMAIN}>

            Final-Recipient: rfc822; {ADDRESS}
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mx.northland.example. (192.0.2.7, the server for the domain northland.example.)
            Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.
             550 5.1.1 Please try double-checking the address
            Last-Attempt-Date: Wed, 23 Nov 2011 02:00:01 -0800 (PST)
        """,
    )  # fmt: skip
    plain = b"Content-Type: text/plain; charset=us-ascii\r\n"
    nested = b'Content-Type: multipart/related; boundary="rel"\r\n\r\n--rel\r\n' + plain
    inner, _, rest = shape.data.partition(plain)
    text, line, after = rest.partition(b"\r\n--=_b0\r\n")
    return Shape("", inner + nested + text + b"\r\n--rel--\r\n" + line + after)


def qmail(reference: str) -> Shape:
    """qmail: free text, an empty sender, the letter below a line."""
    return _mail("", f"""\
        Date: 23 Nov 2011 10:00:00 -0000
        From: MAILER-DAEMON@mx.northland.example
        To: return-{reference}@{DOMAIN}
        Subject: failure notice
    """, f"""\
        Hi. This is the qmail-send program at mx.northland.example.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <{ADDRESS}>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.

        {textwrap.indent(returned_letter(reference), "        ").strip()}
    """)  # fmt: skip


def sendmail(reference: str) -> Shape:
    """Sendmail: folded headers, a quota that is full, the status more exact in the diagnostic code."""
    return _report(reference, subject="Returned mail: see transcript for details", last="text/rfc822-headers", text="""\
        ----- The following addresses had permanent fatal errors -----
    """, fields=f"""\
        Reporting-MTA: dns; mx.northland.example
        Arrival-Date: Wed, 23 Nov 2011 10:00:00 GMT

        Final-Recipient: RFC822; {ADDRESS}
        Action: failed
        Status: 5.0.0
        Remote-MTA: DNS; mail.northland.example
        Diagnostic-Code: SMTP; 552 5.2.2 <{ADDRESS}>... Mailbox
         full
        Last-Attempt-Date: Wed, 23 Nov 2011 10:00:05 GMT
    """)  # fmt: skip


def sendmail_warning(reference: str) -> Shape:
    """Sendmail in free text, after four hours: "could not be delivered", and yet no bounce."""
    return _mail("", f"""\
        From: Mail Delivery Subsystem <MAILER-DAEMON@mx.northland.example>
        To: return-{reference}@{DOMAIN}
        Subject: Warning: could not send message for past 4 hours
    """, f"""\
            **********************************************
            **      THIS IS A WARNING MESSAGE ONLY      **
            **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **
            **********************************************

        <{ADDRESS}>... Deferred: Connection timed out with mail.northland.example.
        Warning: message still undelivered after 4 hours
        Will keep trying until message is 5 days old
    """)  # fmt: skip


def domino(reference: str) -> Shape:
    """Domino: the action in capitals, words of its own, the returned headers in a part of their own."""
    return _report(
        reference, subject="DELIVERY FAILURE: User office not listed in Domino Directory", last="text/rfc822-headers",
        auto="", text="Your message was not delivered.", fields=f"""\
            Reporting-MTA: dns;notes.northland.example

            Final-Recipient: rfc822;{ADDRESS}
            Action: FAILED
            Status: 5.1.1
            Diagnostic-Code: X-Notes; User office not listed in Domino Directory
        """,
    )  # fmt: skip


def no_address(reference: str) -> Shape:
    """A report without Final-Recipient, in a charset that does not exist."""
    shape = _report(reference, text="Zustellung fehlgeschlagen", last="", fields="""\
        Reporting-MTA: dns; mx.northland.example

        Action: failed
        Status: 5.1.2
    """)  # fmt: skip
    return Shape("", shape.data.replace(b"us-ascii", b"x-klingon").replace(b"fehl", b"f\xe4hl"))


def german(reference: str) -> Shape:
    """A gateway's free text in Latin-1, from its postmaster instead of an empty sender."""
    return _mail("postmaster@northland.example", f"""\
        From: postmaster@northland.example
        To: return-{reference}@{DOMAIN}
        Subject: Ihre Nachricht ist unzustellbar
        MIME-Version: 1.0
        Content-Type: text/plain; charset=iso-8859-1
        Content-Transfer-Encoding: 8bit
    """, """\
        Ihre Nachricht konnte nicht zugestellt werden: Empfänger unbekannt.
    """, coding="latin-1")  # fmt: skip


def free_text(reference: str) -> Shape:
    """Something a machine says, from which nothing certain can be read."""
    return _mail("", f"""\
        From: MAILER-DAEMON@mx.northland.example
        To: return-{reference}@{DOMAIN}
        Subject: Your mail
    """, """\
        We have looked at your mail. Please see our web page for what it means.
    """)  # fmt: skip


def nested(reference: str) -> Shape:
    """A report forty levels down: read; and sixty: not looked for."""
    inner = postfix(reference).data
    for level in range(40):
        head = f'Content-Type: multipart/mixed; boundary="n{level}"\r\n\r\n--n{level}\r\n'.encode()
        inner = head + inner + f"\r\n--n{level}--\r\n".encode()
    return Shape("", b"From: MAILER-DAEMON@mx.northland.example\r\nSubject: nested\r\n" + inner)


def complaint(reference: str) -> Shape:
    """RFC 5965, from a mail provider's feedback loop."""
    letter = returned_letter(reference)
    return _mail("fbl@northland.example", f"""\
        From: <fbl@northland.example>
        To: complaints@{DOMAIN}
        Subject: FW: The oil workers of Zhanaozen
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=feedback-report; boundary="fbl"
    """, "\n".join([
        "--fbl", "Content-Type: text/plain", "", "This is an abuse report.", "", "--fbl",
        "Content-Type: message/feedback-report", "", "Feedback-Type: abuse", "User-Agent: Loop/1.0", "Version: 1",
        f"Original-Rcpt-To: <{ADDRESS}>", "", "--fbl", "Content-Type: message/rfc822", "", letter, "Dear,", "--fbl--",
        "",
    ]))  # fmt: skip


def not_spam(reference: str) -> Shape:
    """A feedback loop that says the opposite."""
    shape = complaint(reference)
    return Shape(shape.sender, shape.data.replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam"))


def bounce_of_a_bounce(reference: str) -> Shape:
    """A report that returns another report."""
    shape = postfix(reference)
    head, blank, _ = shape.data.partition(b"Content-Type: message/rfc822\r\n\r\n")
    inner = b'Return-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="q"\r\n\r\n'
    return Shape("", head + blank + inner + b"--q--\r\n\r\n--8D1F.1322042/mx.northland.example--\r\n")


def our_own(reference: str) -> Shape:
    """Our letter itself, sent back by some list or forwarding."""
    text = returned_letter(reference) + "\nDear Prime Minister,\n"
    return Shape(f"return-{reference}@{DOMAIN}", text.replace("\n", "\r\n").encode())


def vacation(reference: str) -> Shape:
    """An answering machine as RFC 3834 wants it: to the return path, with an empty sender."""
    return _mail("", f"""\
        From: Anna Lund <{ADDRESS}>
        To: return-{reference}@{DOMAIN}
        Subject: Automatic reply: The oil workers of Zhanaozen
        Auto-Submitted: auto-replied
        In-Reply-To: <{reference}@{DOMAIN}>
    """, "I am out of the office until 5 December. Delivery of letters is not delayed.\n")  # fmt: skip


def long_headers(reference: str) -> Shape:
    """More than a megabyte of headers, none of them ended."""
    return Shape("", f"To: return-{reference}@{DOMAIN}\r\n".encode() + b"X-Filler: " + b"x" * 1_100_000)


KINDS: Mapping[str, Kind] = {
    "Postfix": Kind(postfix, 3, "5.1.1", is_bad_address=True),
    "Postfix, delayed": Kind(postfix_delayed, 1, "4.4.1"),
    "Postfix, expired": Kind(postfix_expired, 3, "4.4.1"),
    "delivered": Kind(delivered, 2, "2.0.0"),
    "relayed": Kind(relayed, 0, what="untold"),
    "Exchange": Kind(exchange, 3, "5.1.10", is_bad_address=True),
    "Exchange, policy": Kind(exchange_policy, 3, "5.7.1"),
    "Exim": Kind(exim, 3, "5.1.1", is_bad_address=True),
    "Exim, delayed": Kind(exim_delayed, 1, "4.2.0"),
    "Gmail": Kind(gmail, 3, "5.1.1", is_bad_address=True),
    "qmail": Kind(qmail, 3, "5.1.1", is_bad_address=True),
    "Sendmail": Kind(sendmail, 3, "5.2.2"),
    "Sendmail, warning": Kind(sendmail_warning, 1),
    "Domino": Kind(domino, 3, "5.1.1", is_bad_address=True),
    "without an address": Kind(no_address, 3, "5.1.2", is_bad_address=True),
    "German gateway": Kind(german, 3),
    "free text": Kind(free_text, 0, what="unreadable"),
    "forty levels": Kind(nested, 3, "5.1.1", is_bad_address=True),
    "complaint": Kind(complaint, 4),
    "not spam": Kind(not_spam, 0, what="untold"),
    "bounce of a bounce": Kind(bounce_of_a_bounce, 0, what="looped"),
    "our own letter": Kind(our_own, 0, what="looped"),
    "vacation": Kind(vacation, 0, what="automatic"),
    "long headers": Kind(long_headers, 0, what="malformed"),
}
