"""A photo at the desk, in a real browser: any picture will do, and what is none is refused at its field."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import faces
from tests.journeys.conftest import OpenPage
from tests.journeys.installation import Postbag
from tests.journeys.test_accessibility import look
from tests.journeys.test_organiser import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

def open_photo_page(page: Page, postbag: Postbag) -> None:
    """Go to the photo of the first target of the first list."""
    sign_in(page, postbag)
    page.goto("/organise/targets/")
    page.locator("tbody th a").first.click()
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name=re.compile("(Add a|Change the) photo")).click()


@pytest.mark.parametrize("scripts", [True, False])
def test_any_picture_becomes_a_small_one(open_page: OpenPage, postbag: Postbag, *, scripts: bool) -> None:
    page = open_page(width=1280, scripts=scripts)
    open_photo_page(page, postbag)
    page.locator("#photo").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"<svg/>"})
    page.get_by_role("button", name="Keep the photo").click()
    expect(page.locator("#photo-error")).to_contain_text("This is no JPEG, PNG, WebP or AVIF picture.")
    if scripts:
        look(page, "photo, refused")
    page.locator("#photo").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": faces.noise()})
    page.get_by_role("button", name="Keep the photo").click()
    photo = page.locator("img.face")
    expect(photo).to_be_visible()
    if scripts:
        assert photo.evaluate("image => image.complete && image.naturalWidth") == 96
