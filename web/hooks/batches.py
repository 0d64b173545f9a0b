"""One request, one event or many: taken apart, so that one that cannot be read does not cost the others."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from web.hooks.sns import Unreachable

MOST_AT_ONCE = 1000
Reader = Callable[[], Sequence[Any]]  # returns Anymail's events


class TooMany(Exception):
    """More events than we take at once."""

    code = "too_many"


class Unreadable(Exception):
    """The body is not what this provider sends."""

    code = "unreadable"


def events(esp: str, what: str, view: Any, request: HttpRequest) -> tuple[list[Any], int]:
    """Return the events of a request as Anymail reads them, and how many cannot be read.

    Raises TooMany, Unreadable where nothing can be, Unreachable where a mail cannot be fetched at the moment.
    """
    try:
        readers = _SPLIT.get((esp, what), _single)(view, request)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise Unreadable from error
    if len(readers) > MOST_AT_ONCE:
        raise TooMany
    found: list[Any] = []
    unread = 0
    for reader in readers:
        try:
            found += [event for event in reader() if event is not None]
        except Unreachable:
            raise
        except Exception:  # noqa: BLE001  Anymail raises what JSON of strangers makes its code raise
            unread += 1
    if unread and not found and unread == len(readers):
        raise Unreadable
    return found, unread


def _single(view: Any, request: HttpRequest) -> list[Reader]:
    return [lambda: view.parse_events(request)]


def _each(view: Any, items: Any) -> list[Reader]:
    if not isinstance(items, list):
        raise TypeError
    return [lambda item=item: [view.esp_to_anymail_event(item)] for item in items]  # type: ignore[misc]


def _mailjet(view: Any, request: HttpRequest) -> list[Reader]:
    said = json.loads(request.body)
    return _each(view, said if isinstance(said, list) else [said])


def _mandrill(view: Any, request: HttpRequest) -> list[Reader]:
    items = json.loads(request.POST["mandrill_events"])
    if not isinstance(items, list):
        raise TypeError
    return [lambda item=item: [_of_mandrill(view, item)] for item in items]  # type: ignore[misc]


def _of_mandrill(view: Any, item: Mapping[str, Any]) -> Any:
    # Anymail's own choice remembers the last one in the view, which here serves all requests.
    if item.get("event") == "inbound":
        return view.mandrill_inbound_to_anymail_event(item)
    return view.mandrill_tracking_to_anymail_event(item)


def _sendgrid(view: Any, request: HttpRequest) -> list[Reader]:
    return _each(view, json.loads(request.body))


def _sparkpost(view: Any, request: HttpRequest) -> list[Reader]:
    items = json.loads(request.body)
    if not isinstance(items, list):
        raise TypeError
    return [lambda item=item: _of_sparkpost(view, item) for item in items]  # type: ignore[misc]


def _of_sparkpost(view: Any, item: Any) -> list[Any]:
    kind, event, raw = view.unwrap_event(item)
    return [] if event is None else [view.esp_to_anymail_event(kind, event, raw)]


def _mailtrap(view: Any, request: HttpRequest) -> list[Reader]:
    return _each(view, json.loads(request.body)["events"])


def _unisender(view: Any, request: HttpRequest) -> list[Reader]:
    said = json.loads(request.body)
    if "events_by_user" not in said:
        return _single(view, request)
    events = [event for of_user in said["events_by_user"] for event in of_user["events"]]
    return [
        lambda event=event: [view.esp_to_anymail_event(event["event_data"])]  # type: ignore[misc]
        if event["event_name"] == "transactional_email_status" else []
        for event in events
    ]  # fmt: skip


def _brevo_inbound(view: Any, request: HttpRequest) -> list[Reader]:
    return _each(view, json.loads(request.body)["items"])


_SPLIT: Mapping[tuple[str, str], Callable[[Any, HttpRequest], list[Reader]]] = {
    ("brevo", "inbound"): _brevo_inbound,
    ("mailjet", "tracking"): _mailjet,
    ("mailtrap", "tracking"): _mailtrap,
    ("mailtrap", "inbound"): _mailtrap,
    ("mandrill", "tracking"): _mandrill,
    ("mandrill", "inbound"): _mandrill,
    ("sendgrid", "tracking"): _sendgrid,
    ("sparkpost", "tracking"): _sparkpost,
    ("sparkpost", "inbound"): _sparkpost,
    ("unisender-go", "tracking"): _unisender,
}
