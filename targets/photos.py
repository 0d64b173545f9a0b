"""Photos of targets: made small, found by their content, gone with the target's last place on a list."""

import hashlib
from collections.abc import Collection

from django.db import transaction

from accounts import audit
from accounts.models import User
from targets.models import ListEntry, Photo, Target


@transaction.atomic
def keep(*, target: Target, content: bytes, by: User) -> Photo:
    """Keep a picture, made small, as the target's photo, in place of an earlier one; raises pictures.PictureRefused."""
    from targets import pictures  # noqa: PLC0415  5 MB, 17 once it reads: a worker keeps no photos

    made = pictures.small(content)
    digest = hashlib.sha256(made).hexdigest()[:32]
    photo, _new = Photo.objects.update_or_create(target=target, defaults={"content": made, "digest": digest})
    audit.record(organisation=target.organisation, by=by, deed="kept a photo", subject=str(target), bytes=len(made))
    return photo


@transaction.atomic
def remove(*, target: Target, by: User) -> bool:
    """Delete a target's photo; False where there is none."""
    removed, _by_model = Photo.objects.filter(target=target).delete()
    if removed:
        audit.record(organisation=target.organisation, by=by, deed="removed a photo", subject=str(target))
    return bool(removed)


def forget_retired(target: Target) -> None:
    """Delete the photo of a target that is on no list any more."""
    if not ListEntry.objects.filter(target=target, retired_at=None).exists():
        Photo.objects.filter(target=target).delete()


def find(digest: str) -> Photo | None:
    """Return a photo by the digest of its content."""
    return Photo.objects.filter(digest=digest).first()


def digests_of(targets: Collection[int]) -> dict[int, str]:
    """Return the digests of the photos of these targets, by target id."""
    return dict(Photo.objects.filter(target__in=targets).values_list("target", "digest"))
