"""A photo at the desk, in a real browser: made small on the spot, and shown where supporters choose."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import faces
from tests.journeys.conftest import OpenPage
from tests.journeys.installation import Postbag
from tests.journeys.test_accessibility import look
from tests.journeys.test_organiser import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

NOISE = """() => new Promise((done) => {
  const canvas = document.createElement("canvas");
  canvas.width = 640; canvas.height = 480;
  const pen = canvas.getContext("2d");
  for (let n = 0; n < 4000; n++) {
    pen.fillStyle = `hsl(${n * 37 % 360} 60% ${30 + n % 50}%)`;
    pen.fillRect(n * 71 % 640, n * 53 % 480, 40, 40);
  }
  canvas.toBlob(async (blob) => done(Array.from(new Uint8Array(await blob.arrayBuffer()))), "image/png");
})"""


def open_photo_page(page: Page, postbag: Postbag) -> None:
    """Go to the photo of the first target of the first list."""
    sign_in(page, postbag)
    page.goto("/organise/targets/")
    page.locator("tbody th a").first.click()
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name=re.compile("(Add a|Change the) photo")).click()


def chosen(page: Page, content: bytes) -> None:
    """Choose a file."""
    page.locator("#photo").set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": content})


def test_a_large_picture_is_made_small_when_it_is_chosen(open_page: OpenPage, postbag: Postbag) -> None:
    page = open_page(width=1280)
    open_photo_page(page, postbag)
    large = bytes(page.evaluate(NOISE))
    assert len(large) > 20_000
    chosen(page, large)
    expect(page.locator("#photo-said")).to_have_text(re.compile(r"Made smaller here, to [0-3]\.\d KB\.|.*to 4\.0 KB\."))
    look(page, "photo, chosen")
    page.get_by_role("button", name="Keep the photo").click()
    photo = page.locator("img.face")
    expect(photo).to_be_visible()
    assert photo.evaluate("image => image.complete && image.naturalWidth") == 96


def test_without_scripts_a_small_picture_is_kept_and_a_large_one_explained(
    open_page: OpenPage, postbag: Postbag
) -> None:
    page = open_page(scripts=False)
    open_photo_page(page, postbag)
    chosen(page, faces.png(noise=bytes(9000)))
    page.get_by_role("button", name="Keep the photo").click()
    expect(page.locator("#photo-error")).to_contain_text("It may have 4 KB")
    chosen(page, faces.PNG)
    page.get_by_role("button", name="Keep the photo").click()
    expect(page.locator("img.face")).to_be_visible()
