"""One view for all hooks: bounded in size and number, proved, then written down. Nothing of a body is logged."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from letters import arrivals, incoming, tracking
from letters.arrivals import What
from web.hooks import batches, bodies, doors, reading, sns
from web.hooks.doors import Door
from web.hooks.proofs import Forged, Stale

log = logging.getLogger(__name__)
MOST_INSIDE = 6  # of the eight threads of a web process: two are left for pages, whatever is posted here
MOST_AT_WORK = 3
WAITS_FOR = 2.0  # seconds for one of those at work to end
AGAIN_AFTER = "30"  # seconds
_inside = threading.BoundedSemaphore(MOST_INSIDE)
_at_work = threading.BoundedSemaphore(MOST_AT_WORK)


class _Busy(Exception):
    """Too many at once."""


@contextmanager
def _turn() -> Iterator[None]:
    """Take a turn, or raise _Busy: a flood of events must leave room for pages."""
    if not _inside.acquire(blocking=False):
        raise _Busy
    try:
        if not _at_work.acquire(timeout=WAITS_FOR):
            raise _Busy
        try:
            yield
        finally:
            _at_work.release()
    finally:
        _inside.release()


def _answering(view: Callable[[HttpRequest, Door], HttpResponse]) -> Callable[[HttpRequest, Door], HttpResponse]:
    """Answer what a view raises: what the provider did wrong, and what it shall tell again."""

    @wraps(view)
    def answered(request: HttpRequest, door: Door) -> HttpResponse:
        try:
            return view(request, door)
        except Forged as forged:
            answer = _no(door, What.FORGED, 401 if forged.asks else 400)
            if forged.asks:
                answer["WWW-Authenticate"] = 'Basic realm="hooks"'
            return answer
        except Stale:
            return _no(door, What.STALE, 400)
        except (bodies.TooLarge, batches.TooMany):
            return _no(door, What.TOO_LARGE, 413)
        except (bodies.Unreadable, batches.Unreadable):
            return _no(door, What.MALFORMED, 400)
        except (_Busy, tracking.Busy, sns.Unreachable):
            answer = _no(door, What.BUSY, 503)
            answer["Retry-After"] = AGAIN_AFTER
            return answer

    return answered


@csrf_exempt
@never_cache
def hook(request: HttpRequest, esp: str, what: str) -> HttpResponse:
    """Take what a provider posts. HEAD: 200; other methods: 405; a provider that is not configured: 404."""
    door = doors.find(esp, what)
    if door is None:
        return HttpResponse("There is no hook here.\n", status=404, content_type="text/plain")
    if request.method == "HEAD" or (request.method == "GET" and door.is_greeted_by_get):
        return HttpResponse(content_type="text/plain")
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST, HEAD"}, content_type="text/plain")
    return _take(request, door)


@_answering
def _take(request: HttpRequest, door: Door) -> HttpResponse:
    now = timezone.now()
    with _turn():
        door.greet(request)
        bodies.read(request, most=door.most_bytes)
        if door.prove(request, now=now):
            told, unread = door.events(request)
            _write_down(door, told, now=now)
            arrivals.count(door.esp, What.MALFORMED, unread)
    return HttpResponse("ok\n", content_type="text/plain")


def _write_down(door: Door, told: list[object], *, now: datetime) -> None:
    """Write events down, and take mail in. Raises tracking.Busy; then all of it is told again, which does no harm."""
    events: list[tracking.Event] = []
    for one in told:
        if hasattr(one, "message"):
            _take_mail(door, one, now=now)
            continue
        read = reading.event(door.esp, one)
        if isinstance(read, What):
            arrivals.count(door.esp, read)
        else:
            events.append(read)
    if events:
        tracking.record(events, source=door.esp, now=now)


def _take_mail(door: Door, told: object, *, now: datetime) -> None:
    try:
        mail = reading.mail(door.esp, told)
    except Exception as error:  # noqa: BLE001  Python's mail library, over mail of strangers, raises anything
        log.warning("a mail from %s cannot be read (%s)", door.esp, type(error).__name__)
        arrivals.count(door.esp, What.MALFORMED)
        return
    incoming.take(mail, now=now)


def _no(door: Door, what: What, status: int) -> HttpResponse:
    arrivals.count(door.esp, what)
    log.info("a post to the hook of %s was answered %d (%s)", door.esp, status, what)
    return HttpResponse(f"{what}\n", status=status, content_type="text/plain")
