"""Lines to the providers of the tests, and letters for them."""

import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from anymail.exceptions import AnymailNotSupportedWarning

from config import providers
from letters import composing
from letters.composing import FinishedLetter, Message
from letters.endings import Ending
from tests.worker import fake_provider
from tests.worker.fake_provider import FakeProvider
from worker.transports.provider import Account, ProviderLine

WRITTEN_AT = datetime(2011, 11, 23, 10, 0, tzinfo=UTC)
ESPS = list(providers.PROVIDERS)
# boto3 is no requirement; who has it runs these too.
INSTALLED = [esp for esp in ESPS if esp != "amazon-ses"]


def address(esp: str, api_url: str, options: Mapping[str, str] | None = None) -> str:
    """Return what EMAIL_URL says for this provider."""
    told = {**({"region": "eu-central-1"} if esp == "amazon-ses" else {}), **(options or {})}
    username = "user" if providers.PROVIDERS[esp].username else ""
    return fake_provider.address(esp, api_url, username=username, more=told)


def a_line(
    fake: FakeProvider, esp: str = "mailgun", *, seconds: float = 10.0, options: Mapping[str, str] | None = None
) -> ProviderLine:
    """Return a line to a provider of the tests, whose attempts may last so long."""
    return a_line_to(fake.url(esp), esp, seconds=seconds, options=options)


def a_line_to(
    api_url: str, esp: str = "mailgun", *, seconds: float = 10.0, options: Mapping[str, str] | None = None
) -> ProviderLine:
    """Return a line to an address."""
    read = providers.read("EMAIL_URL", address(esp, api_url, options))
    account = Account(read.esp, read.backend, read.options, read.switches, read.secrets)
    return ProviderLine(account, patience=seconds / 120)


def a_letter(
    delivery_id: int = 7, *, text: str = "Please speak up for them.", subject: str = "The oil workers",
    sender: str = "Dana Writer via letters.postbag.example", to_name: str = "Anna Lund",
    to: str = "office@northland.example", reply_to: str = "dana@mail.example",
) -> Message:  # fmt: skip
    """Return a letter as it is composed for one target."""
    return composing.message(
        delivery_id=delivery_id, letter=FinishedLetter(subject, text, sender, reply_to), to_name=to_name, to_address=to,
        date=WRITTEN_AT,
    )  # fmt: skip


def always() -> bool:
    """Give the fence."""
    return True


def send(line: ProviderLine, message: Message | None = None, *, allow: Callable[[], bool] = always) -> Ending:
    """Hand over one letter; the line is closed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailNotSupportedWarning)
            return line.send(message or a_letter(), allow=allow)
    finally:
        line.close()
