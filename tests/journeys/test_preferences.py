"""What people set, by day and night: forced colours, more contrast, less motion. And what is read out to them."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page

from tests.journeys import trees
from tests.journeys.conftest import OpenPage
from tests.journeys.installation import Postbag
from tests.journeys.mailbox import Mailbox
from tests.journeys.test_accessibility import RULES, flow

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("journeys")]

# What must be seen though every background is gone: edges in a colour that is not the page's.
EDGELESS = """() => [...document.querySelectorAll([
    ".button:not(.quiet), .stamp, .sheet, .envelope, .panel:not(.preview-panel), .notice, .error-summary",
    "input, textarea, select",
])].filter(one => one.checkVisibility({checkVisibilityCSS: true}) && !one.closest(".unseen")
    && !["hidden", "checkbox", "radio", "range"].includes(one.type)).filter(one => {
    const look = getComputedStyle(one), page = getComputedStyle(document.body).backgroundColor;
    const box = one.getBoundingClientRect();
    return box.width && !["top", "bottom", "left", "right"].some(side =>
        parseFloat(look[`border-${side}-width`]) >= 1 && !["none", "hidden"].includes(look[`border-${side}-style`])
        && look[`border-${side}-color`] !== page && look[`border-${side}-color`] !== "rgba(0, 0, 0, 0)");
}).map(one => one.outerHTML.slice(0, 100))"""
PAINTED = """() => [...document.querySelectorAll("*")].filter(one => {
    const look = getComputedStyle(one);
    return look.backgroundImage.includes("gradient") || look.maskImage.includes("gradient");
}).map(one => one.outerHTML.slice(0, 100))"""
MOVING = """() => [
    ...document.getAnimations().map(one => one.effect.target.outerHTML.slice(0, 100)),
    ...[...document.querySelectorAll("*")].filter(one => {
        const look = getComputedStyle(one), lasts = look.transitionDuration.split(",").some(word => +word.slice(0, -1));
        return lasts || look.scrollBehavior === "smooth";
    }).map(one => one.outerHTML.slice(0, 100)),
]"""
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
# Of forced colours axe sees those that the page wished for, so their contrast is not looked at.
FORCED = {**RULES, "rules": {"color-contrast": {"enabled": False}}}
MORE_CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast-enhanced"]}}


def faults_of(page: Page) -> Iterator[str]:
    """Return what is wrong with a page for those who set one thing or the other."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, forced_colors="active")
        yield from (f"{scheme}, forced colours: no edge is seen of {one}" for one in page.evaluate(EDGELESS))
        yield from (f"{scheme}, forced colours: painted is {one}" for one in page.evaluate(PAINTED))
        yield from (f"{scheme}, forced colours: {one}" for one in _said_by_axe(page, FORCED))
        page.emulate_media(color_scheme=scheme, forced_colors="none", contrast="more")
        yield from (f"{scheme}, more contrast: {one}" for one in _said_by_axe(page, MORE_CONTRAST))
        page.emulate_media(contrast="no-preference")
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    yield from (f"less motion: it moves: {one}" for one in page.evaluate(MOVING))
    page.emulate_media(reduced_motion="no-preference")


def _said_by_axe(page: Page, rules: dict[str, Any]) -> list[str]:
    try:
        told = Axe().run(page, options=rules)
    except Error:  # the status page renewed the part that moves while axe went through it
        told = Axe().run(page, options=rules)
    return [
        f"{found['id']}: {node['target']} {node['any'][0]['message'] if node['any'] else ''}"
        for found in told.response["violations"]
        for node in found["nodes"]
    ]


def test_supporters_pages_are_as_their_readers_set_them(open_page: OpenPage, mailbox: Mailbox) -> None:
    page = open_page()
    found = [f"{where}: {fault}" for where in flow(page, mailbox, "set@mail.example") for fault in faults_of(page)]
    assert not found, "\n".join(found)


def test_organisers_pages_are_as_their_readers_set_them(open_page: OpenPage, postbag: Postbag) -> None:
    page = open_page(width=1280)
    page.goto("/organise/")
    page.locator("[name=login]").fill(postbag.email)
    page.locator("[name=password]").fill(postbag.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    campaign = "/organise/campaigns/kazakhstan-2011"
    found = []
    for path in (
        "/organise/", "/organise/targets/", "/organise/campaigns/", f"{campaign}/", f"{campaign}/page/",
        f"{campaign}/look/", f"{campaign}/delivery/", f"{campaign}/statistics/", f"{campaign}/leaders/wording/",
    ):  # fmt: skip
        page.goto(path)
        found += [f"{path}: {fault}" for fault in faults_of(page)]
    assert not found, "\n".join(found)


def test_a_screen_reader_is_told_the_same_as_when_it_was_last_read_through(
    open_page: OpenPage, mailbox: Mailbox
) -> None:
    for name, tree in trees.walked(open_page(), mailbox):
        kept = (trees.KEPT / f"{name}.yaml").read_text(encoding="utf-8")
        assert tree == kept, f"{name}: read the difference, then python -m tests.journeys.trees"
