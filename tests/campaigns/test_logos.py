"""Logos: what only draws is kept, what draws nothing is left out, and all else is refused by its name."""

import re

import pytest

from campaigns import logos

XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


def svg(inside: str, *, attributes: str = 'viewBox="0 0 40 40"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


def refusal(content: bytes) -> str:
    with pytest.raises(logos.LogoRefused) as refused:
        logos.drawn_anew(content)
    return refused.value.sentence


PATH = '<path d="M0 0h10v10z"/>'
HOSTILE = {
    "<script>alert(1)</script>": "“script”",
    "<SCRIPT>alert(1)</SCRIPT>": "“SCRIPT”",
    '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>': "“script”",
    '<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>': "“script”",
    '<path d="M0 0" onload="alert(1)"/>': "“onload”, which runs a script",
    '<g OnClick="alert(1)"/>': "“OnClick”, which runs a script",
    "<style>@import url(https://evil.example/)</style>": "“style”",
    '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>': "“foreignObject”",
    '<image href="https://evil.example/a.png"/>': "“image”",
    '<image href="data:image/png;base64,AAAA"/>': "“image”",
    f'<use {XLINK} xlink:href="#a"/>': "“use”",
    '<a href="javascript:alert(1)"><path d="M0 0"/></a>': "“a”",
    '<animate attributeName="href" values="javascript:alert(1)"/>': "“animate”",
    '<set attributeName="onload" to="alert(1)"/>': "“set”",
    '<text x="1">Free them</text>': "“text”",
    "<svg/>": "“svg”",
    '<filter id="f"/>': "“filter”",
    '<path d="M0 0" filter="url(#f)"/>': "“filter”",
    '<path d="M0 0" style="mask:url(#m)"/>': "“mask”",
    '<path d="M0 0" fill="url(https://evil.example/#a)"/>': "“fill”",
    '<path d="M0 0" fill="url(#a) url(//evil.example)"/>': "“fill”",
    '<path d="M0 0" fill="&#117;rl(//evil.example)"/>': "“fill”",
    '<path d="M0 0" style="fill:u\\72l(//evil.example)"/>': "“fill”",
    '<path d="M0 0" style="fill:url(&quot;//evil.example&quot;)"/>': "“fill”",
    '<path d="M0 0" fill="&lt;script&gt;"/>': "“fill”",
    '<path d="M0 0" id="a&quot; onload=&quot;alert(1)"/>': "“id”",
    f'<linearGradient {XLINK} xlink:href="https://evil.example/#a"/>': "“https://evil.example/#a”",
    '<linearGradient href="javascript:alert(1)"/>': "“javascript:alert(1)”",
    f'<path {XLINK} xlink:href="#a" d="M0 0"/>': "“#a”",
    '<path src="https://evil.example/" d="M0 0"/>': "“https://evil.example/”",
    '<clipPath id="a"><path clip-path="url(#b)" d="M0 0"/></clipPath>': "“clip-path”",
    '<?xml-stylesheet href="https://evil.example/a.css"?>': "“<?xml-stylesheet”",
    "<![CDATA[<script>]]>": "“<!”",
    "<g>" * 21 + "</g>" * 21: "20 deep",
    "<g>" * 5000 + "</g>" * 5000: "20 deep",
}


@pytest.mark.parametrize(("inside", "named"), HOSTILE.items(), ids=[one[:40] for one in HOSTILE])
def test_what_could_do_more_than_draw_is_refused_by_its_name(inside: str, named: str) -> None:
    sentence = refusal(svg(inside + PATH))
    assert named in sentence
    assert re.search(r"xport|Ungroup|Draw it|Turn its text", sentence), "it says what to do"


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
        '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!---->\n<!doctype svg [<!ENTITY % a SYSTEM "https://evil.example/a.dtd"> %a;]>',
    ],
)
def test_no_document_type_and_so_no_entity_is_ever_read(before: str) -> None:
    assert re.search("“<!doctype”", refusal(before.encode() + svg(PATH)), re.IGNORECASE)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n", b"\xff\xfe<\0s\0", "<svg".encode("utf-16"), b"<html/>", b"<svg", svg("<g>&nbsp;</g>"),
     svg('<x:g x:a="1"/>'), svg("\0")],
)  # fmt: skip
def test_what_is_no_svg_says_so(content: bytes) -> None:
    assert "SVG" in refusal(content)


def test_what_drawing_programs_write_is_drawn_anew() -> None:
    """Inkscape's notes, styles in attributes, a gradient that takes its colours from another."""
    content = b"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
    <!-- Created with a drawing program; <script> -->
    <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
      xmlns:sodipodi="http://sodipodi.example/DTD" width="80mm" height="40mm" viewBox="0 0 80 40" version="1.1">
    <title>Logo</title><metadata><rdf/></metadata><sodipodi:namedview pagecolor="#fff"><script/></sodipodi:namedview>
    <defs><linearGradient id="a"><stop offset="0" style="stop-color:#0b5a67;stop-opacity:1"/></linearGradient>
    <linearGradient id="b" xlink:href="#a" x1="0" gradientUnits="userSpaceOnUse"/></defs>
    <g sodipodi:label="Layer" class="layer" style="fill:url(#b);line-height:1.2;-x:'y'"><path d="M 0,0 h 1e1 v-10 z"
      transform="rotate(45 1.5,2)"/></g></svg>"""
    assert logos.drawn_anew(content).svg == (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 40" width="72" height="36">'
        '<defs><linearGradient id="a"><stop offset="0" stop-color="#0b5a67" stop-opacity="1"></stop></linearGradient>'
        '<linearGradient id="b" href="#a" x1="0" gradientUnits="userSpaceOnUse"></linearGradient></defs>'
        '<g fill="url(#b)"><path d="M 0,0 h 1e1 v-10 z" transform="rotate(45 1.5,2)"></path></g></svg>'
    )


def test_drawn_anew_once_more_it_stays_the_same() -> None:
    path = '<path d="M0 0" fill="url(#a)" stroke="rgb(1, 2, 3)"/>'
    once = logos.drawn_anew(svg(path, attributes='width="9" height="9px"'))
    assert logos.drawn_anew(once.svg.encode()) == once


@pytest.mark.parametrize(
    ("attributes", "size"),
    [('viewBox="0 0 100 50"', (72, 36)), ('width="50" height="50px"', (36, 36)), ('viewBox="-1,-1 900 90"', (200, 20))],
)
def test_it_is_shown_in_its_own_proportions(attributes: str, size: tuple[int, int]) -> None:
    drawing = logos.drawn_anew(svg(PATH, attributes=attributes))
    assert (drawing.width, drawing.height) == size


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ("", "says no size"), ('viewBox="0 0 0 10"', "says no size"), ('width="80mm" height="40mm"', "says no size"),
        ('viewBox="0 0 9 -9"', "says no size"), ('viewBox="0 0 1e99 1e99999"', "says no size"),
        ('viewBox="0 0 2000 20"', "too narrow"), ('viewBox="0 0 1 20"', "too narrow"),
    ],
)  # fmt: skip
def test_without_a_size_it_cannot_be_shown(attributes: str, said: str) -> None:
    assert said in refusal(svg(PATH, attributes=attributes))


def test_it_may_weigh_8_kb_and_says_by_how_much_it_is_over() -> None:
    path = '<path d="{}"/>'
    room = logos.MOST_KEPT - len(logos.drawn_anew(svg(path.format(""))).svg)
    assert len(logos.drawn_anew(svg(path.format("M" * room))).svg) == logos.MOST_KEPT
    assert "2.0 KB too large" in refusal(svg(path.format("M" * (room + 2048))))
    assert "more than 64 KB" in refusal(svg("<!--" + "x" * 71_000 + "-->"))
