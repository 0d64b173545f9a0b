"""Photos of targets at the desk."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Role, User
from targets.models import Photo, TargetList
from tests import cast, faces
from tests.web.organisers.test_excluding import address, sign_in, text_of

ONE, OTHER = faces.picture("JPEG", (900, 600)), faces.picture(colour="#4060a0")


def upload(client: Client, target_list: TargetList, content: bytes, name: str = "face.jpg") -> object:
    """Choose a file and send it."""
    return client.post(address(target_list, "photo/"), {"photo": SimpleUploadedFile(name, content)})


def test_a_photo_is_kept_shown_replaced_and_deleted(as_alice: Client, target_list: TargetList) -> None:
    one = address(target_list, "")
    assert "Add a photo" in text_of(as_alice.get(one))
    assert "Delete the photo" not in text_of(as_alice.get(address(target_list, "photo/")))
    upload(as_alice, target_list, ONE)
    kept = Photo.objects.get()
    page = text_of(as_alice.get(one))
    assert "The photo of Anna Lund is kept." in page
    assert f'src="/photo/{kept.digest}/"' in page
    assert "Change the photo" in page
    assert "Their photo is deleted" in text_of(as_alice.get(address(target_list, "retire/")))
    upload(as_alice, target_list, OTHER)
    assert Photo.objects.get().digest != kept.digest
    assert "Delete the photo" in text_of(as_alice.get(address(target_list, "photo/")))
    page = text_of(as_alice.post(address(target_list, "photo/remove/"), follow=True))
    assert "Anna Lund has no photo any more." in page
    assert not Photo.objects.exists()
    assert "Their photo is deleted" not in text_of(as_alice.get(address(target_list, "retire/")))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Choose a picture."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is no JPEG, PNG, WebP or AVIF picture."),
        (faces.noise("JPEG", (96, 96))[:-300], "The picture is cut off or damaged."),
        (ONE + bytes(10_000_000), "The file has more than 10 MB."),
        (faces.picture(size=(16, 16)), "The picture is 16 × 16 pixels. It needs 96 × 96."),
    ],
)
def test_a_file_that_cannot_be_kept_says_why_and_the_photo_stays(
    as_alice: Client, target_list: TargetList, content: bytes, sentence: str
) -> None:
    upload(as_alice, target_list, ONE)
    kept = Photo.objects.get().digest
    response = upload(as_alice, target_list, content, "photo.jpg")
    page = text_of(response)
    assert response.status_code == 422  # type: ignore[attr-defined]
    assert "<title>Error: " in page
    assert page.count(sentence) == 2  # in the summary and at the field
    assert 'href="#photo"' in page
    assert Photo.objects.get().digest == kept


def test_a_form_without_a_file_says_so(as_alice: Client, target_list: TargetList) -> None:
    response = as_alice.post(address(target_list, "photo/"))
    assert response.status_code == 422
    assert "Choose a picture." in text_of(response)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SENDER, Role.TRANSLATOR, Role.REPLIES, Role.PARTNER])
def test_other_roles_keep_and_delete_none(client: Client, alice: User, target_list: TargetList, role: str) -> None:
    sign_in(client, alice)
    upload(client, target_list, ONE)
    kept = Photo.objects.get().digest
    sign_in(client, cast.a_member(cast.organisation_of(alice), "Erin", role))
    assert upload(client, target_list, OTHER).status_code == 403  # type: ignore[attr-defined]
    assert client.post(address(target_list, "photo/remove/")).status_code == 403
    assert Photo.objects.get().digest == kept


def test_another_organisations_target_is_as_absent_as_none(
    client: Client, alice: User, charlie: User, target_list: TargetList
) -> None:
    sign_in(client, alice)
    upload(client, target_list, ONE)
    kept = Photo.objects.get().digest
    sign_in(client, charlie)
    assert client.get(address(target_list, "photo/")).status_code == 404
    assert upload(client, target_list, OTHER).status_code == 404  # type: ignore[attr-defined]
    assert client.post(address(target_list, "photo/remove/")).status_code == 404
    assert Photo.objects.get().digest == kept
