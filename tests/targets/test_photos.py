"""Photos of targets: kept, replaced, and gone with the target or its last place on a list."""

import hashlib

import pytest

from accounts.models import AuditEntry, User
from targets import lists, photos
from targets.models import ListEntry, Photo, Target, TargetList
from targets.pictures import PictureRefused
from tests import cast, faces

ONE, OTHER = faces.picture(), faces.picture("JPEG", colour="#4060a0")

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(target_list: TargetList) -> Target:
    """Return a target."""
    return Target.objects.get(name="Anna Lund", lists=target_list)


def test_a_photo_is_found_by_its_content_and_replaced_by_the_next(alice: User, anna: Target) -> None:
    first = photos.keep(target=anna, content=ONE, by=alice)
    assert first.digest == hashlib.sha256(bytes(first.content)).hexdigest()[:32]
    assert photos.find(first.digest) == first
    assert photos.digests_of([anna.pk]) == {anna.pk: first.digest}
    second = photos.keep(target=anna, content=OTHER, by=alice)
    assert photos.find(first.digest) is None
    assert Photo.objects.get() == second


def test_a_file_that_is_refused_leaves_the_photo_as_it_was(alice: User, anna: Target) -> None:
    kept = photos.keep(target=anna, content=ONE, by=alice)
    with pytest.raises(PictureRefused):
        photos.keep(target=anna, content=b"<svg/>", by=alice)
    assert Photo.objects.get().digest == kept.digest
    assert AuditEntry.objects.count() == 1


def test_two_with_the_same_photo_do_not_lose_it_together(alice: User, anna: Target) -> None:
    bruno = Target.objects.get(name="Bruno Keller")
    for target in (anna, bruno):
        digest = photos.keep(target=target, content=ONE, by=alice).digest
    assert photos.remove(target=anna, by=alice)
    assert not photos.remove(target=anna, by=alice)
    assert photos.find(digest) is not None
    assert list(AuditEntry.objects.order_by("pk").values_list("deed", flat=True)) == [
        "kept a photo", "kept a photo", "removed a photo",
    ]  # fmt: skip


def test_retiring_deletes_it_once_the_target_is_on_no_list(alice: User, target_list: TargetList, anna: Target) -> None:
    other = lists.create_list(organisation=cast.organisation_of(alice), name="Others", kind="other")
    ListEntry.objects.create(target_list=other, target=anna)
    photos.keep(target=anna, content=ONE, by=alice)
    lists.retire(target_list=target_list, target=anna, now=cast.NOW)
    assert Photo.objects.exists()
    lists.retire(target_list=other, target=anna, now=cast.NOW)
    assert not Photo.objects.exists()
    lists.restore(target_list=other, target=anna)
    assert not Photo.objects.exists()


def test_a_target_that_is_deleted_takes_its_photo_along(alice: User, anna: Target) -> None:
    photos.keep(target=anna, content=ONE, by=alice)
    Target.objects.filter(pk=anna.pk).update(version=None)
    anna.refresh_from_db()
    anna.delete()
    assert not Photo.objects.exists()
