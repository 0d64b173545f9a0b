"""Letters on paper, measured: where address, marks and signature stand, in every layout and several scripts."""

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from campaigns.demonstration.loading import load
from campaigns.models import Campaign, LetterTemplate
from letters import composing, envelopes, paper, postal, press, without_us, writing
from letters.composing import Content
from letters.envelopes import Layout
from letters.models import Letter
from letters.privacy import new_wrapped_key
from tests import cast
from tests.letters import deeds, sheets
from tests.letters.sheets import Page, Print

pytestmark = pytest.mark.typefaces

ON = date(2011, 11, 23)
LAYOUTS = list(envelopes.LAYOUTS.values())
TOLERANCE = 1.0  # millimetres
TO = ["Embassy of the Republic of Kazakhstan", "Musterweg 7", "13156 Berlin", "GERMANY"]
LONG = [
    "The Chancellor of the Duchy and Keeper of the Seals", "Office for Foreign Affairs and the Commonwealth",
    "King Charles Street, Entrance on the West Side", "Second Floor", "Westminster", "London SW1A 2AH",
    "UNITED KINGDOM",
]  # fmt: skip
SCRIPTS = {
    "de": ("Sehr geehrte Frau Ministerpräsidentin,", "Die Ölarbeiter streiken seit Mai für höhere Löhne.", "Straße"),
    "ru": ("Ваше Превосходительство,", "Нефтяники бастуют с мая. Съешь же ещё этих мягких булок.", "Дана Письменная"),
    "kk": ("Құрметті мырза,", "Мұнайшылар ереуілге шықты: әділ жалақы, тәуелсіз кәсіподақ. ӘҒҚҢӨҰҮҺІ", "Дана Жазушы"),
    "el": ("Αξιότιμε κύριε,", "Οι εργάτες πετρελαίου απεργούν από τον Μάιο.", "Δανάη"),
    "ar": ("سعادة السفير،", "يُضرب عمّال النفط منذ مايو. ببب", "دانا"),
}


def pressed(
    *texts: Content, layout: Layout = envelopes.DEFAULT, lang: str = "en", to: list[str] | None = None
) -> Print:
    """Return letters of a plain wording on paper."""
    parts = [["Dear you,", text.body, f"Yours sincerely,\n\n{text.name}\n{text.town}".strip()] for text in texts]
    made = [
        paper._sheet(each, text, paper._sender(text), to or TO, language=lang, on=ON)
        for each, text in zip(parts, texts, strict=True)
    ]
    return sheets.read(paper._pressed(made, title="Letters", language=lang, layout=layout))


def content(body: str = "Please speak up for them.", **more: str) -> Content:
    values = {"subject": "The oil workers", "name": "Dana Writer", "town": "Leipzig", "shown_town": "Leipzig", **more}
    return Content(body=body, **values)


def address(page: Page, layout: Layout) -> list[sheets.Line]:
    """Return the lines below the return line that begin at the address's left edge, above the text."""
    left, top, bottom = layout.field_left + envelopes.INSET, layout.address_top, layout.field_top + 45
    return [
        line for line in page.lines
        if abs(line.left - left) < 0.3 and top - 0.3 <= line.top and line.base < bottom + 1
    ]  # fmt: skip


@pytest.fixture
def letter(campaign: Campaign) -> Letter:
    return deeds.a_draft(cast.the_ask(campaign))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
@pytest.mark.parametrize("to", [TO, LONG], ids=["short", "long"])
def test_the_address_stands_in_its_field_and_in_the_window(layout: Layout, to: list[str]) -> None:
    (page,) = pressed(content("They have been on strike since May. " * 40), layout=layout, to=to).pages
    found = address(page, layout)
    assert [line.text for line in found] == to
    assert abs(found[0].left - (layout.field_left + 5)) < TOLERANCE
    assert abs(found[0].top - (layout.field_top + 17.7 + 1)) < TOLERANCE
    field = (layout.field_left, layout.field_top, layout.field_left + 85, layout.field_top + 45)
    for left, top, right, bottom in (field, layout.always_shown):
        assert all(left <= line.left and line.right <= right for line in found)
        assert all(top - TOLERANCE <= line.top and line.base <= bottom + TOLERANCE for line in found)
    shown = page.touching(*layout.may_show)
    assert set(shown) - {"Dana Writer · Leipzig"} == set(to)  # nothing of the letter shows through the window


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
def test_paper_fold_marks_and_return_line(layout: Layout) -> None:
    (page,) = pressed(content(), layout=layout).pages
    assert abs(page.width - layout.width) < 0.1
    assert abs(page.height - layout.height) < 0.1
    assert [round(y, 1) for _left, y, _right in page.strokes] == list(layout.folds)
    assert all(left < 10 and right < 10 for left, _y, right in page.strokes)  # at the edge, clear of the text
    back = page.line("Dana Writer · Leipzig")
    assert layout.field_top <= back.top
    assert back.base < layout.address_top
    assert page.line("23 November 2011").base < page.line("The oil workers").top
    assert page.line("The oil workers").top > layout.field_top + 45
    assert page.line("23 November 2011").left > 140


def test_form_a_is_folded_at_87_and_192() -> None:
    assert [round(y) for _left, y, _right in pressed(content()).pages[0].strokes] == [87, 192]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
def test_there_are_25_millimetres_to_sign(layout: Layout) -> None:
    (page,) = pressed(content(), layout=layout).pages
    closing, name = page.line("Yours sincerely,"), page.line("Dana Writer")
    assert name.base > closing.base
    assert 25 - TOLERANCE <= name.top - closing.base <= 25 + 12
    assert not page.within(20, closing.base + 1, 200, name.top - 1)
    assert page.line("Leipzig").base > name.base


def test_a_closing_without_the_name_gets_it_below_the_signature() -> None:
    assert paper._parted("Yours sincerely", "Dana Writer") == (["Yours sincerely"], ["Dana Writer"])
    assert paper._parted("Yours,\n\nDana Writer\nLeipzig", "Dana Writer") == (["Yours,"], ["Dana Writer", "Leipzig"])


@pytest.mark.django_db
def test_every_letter_of_the_demonstration_fits_on_one_page() -> None:
    campaign = load(organisation=cast.an_organisation(), by=None, wrapped_key=new_wrapped_key(), now=cast.NOW)
    made = []
    for ask in campaign.asks.all():
        template = LetterTemplate.objects.get(ask=ask, language="en")
        target = ask.target_list.targets.first()
        assert target is not None
        given = {draw: composing.given(template, content(), draw=draw) for draw in range(30)}
        for draw in sorted(given, key=lambda draw: len(given[draw][1]))[-3:]:  # the longest
            subject, body = given[draw]
            text = replace(content(), subject=subject, body=f"{cast.DANA['sentence']}\n\n{body}")
            parts = composing.Finisher(template, text, draw=draw).parts(target.values())
            to = postal.lines(target, language="en")
            assert to[-1].isupper()
            made.append(paper._sheet(parts, text, paper._sender(text), to, language="en", on=ON))
    for layout in LAYOUTS:
        assert sheets.count(paper._pressed(made, title="x", language="en", layout=layout)) == len(made) == 9


def test_a_wording_without_a_closing_keeps_its_text_above_the_signature() -> None:
    text = content("Please speak up for them.")
    made = paper._sheet(["Dear you,", text.body], text, ["Dana Writer"], TO, language="en", on=ON)
    assert [list(lines) for lines in made.paragraphs] == [["Dear you,"], [text.body]]
    (page,) = sheets.read(paper._pressed([made], title="x", language="en", layout=envelopes.DEFAULT)).pages
    assert page.line("Dana Writer").top - page.line(text.body).base >= 25 - TOLERANCE


def test_a_long_letter_goes_on_overleaf_with_its_signature_whole() -> None:
    body = "\n\n".join(f"Paragraph {n}. " + "They have been on strike since May. " * 12 for n in range(14))
    pages = pressed(content(body), content()).pages
    assert len(pages) >= 3
    first, *_between, last, other = pages
    assert len(first.strokes) == 2
    assert not last.strokes
    assert last.lines[-1].text == str(len(pages) - 1)  # its number, at the foot
    assert last.line("Yours sincerely,").base < last.line("Dana Writer").top
    assert other.text.count("Paragraph") == 0
    assert len(other.strokes) == 2
    assert other.lines[-1].text == "Leipzig"  # a letter on one page has no number


@pytest.mark.parametrize("lang", SCRIPTS)
def test_scripts_are_set_in_real_letters_and_dated_in_their_language(lang: str) -> None:
    salutation, body, name = SCRIPTS[lang]
    made = paper._sheet(
        [salutation, body, f"—\n\n{name}"], content(body, name=name), [name], TO, language=lang, on=ON
    )
    read = sheets.read(paper._pressed([made], title=body, language=lang, layout=envelopes.DEFAULT))
    (page,) = read.pages
    assert read.title == body
    assert read.language.startswith(lang)
    boxes = [sign for sign, glyph in page.glyphs if glyph == 0]
    assert boxes == []
    written = {sign for text, _glyph in page.glyphs for sign in text}
    assert {sign for sign in salutation + body + name if sign.isalpha()} <= written
    if lang == "ar":
        date_words = "نوفمبر"
        assert set(date_words) <= written
    else:
        plain = page.text.replace("\u00a0", " ").replace("\u202f", " ")
        assert {"de": "23. November 2011", "ru": "23 ноября 2011 г.", "kk": "2011 ж. 23 қараша",
                "el": "23 Νοεμβρίου 2011"}[lang] in plain  # fmt: skip


def test_arabic_is_joined_and_runs_from_the_right_below_an_address_from_the_left() -> None:
    salutation, body, name = SCRIPTS["ar"]
    made = paper._sheet([salutation, body, f"—\n\n{name}"], content(body, name=name), [name], TO, language="ar", on=ON)
    (page,) = sheets.read(paper._pressed([made], title="x", language="ar", layout=envelopes.DEFAULT)).pages
    forms = {glyph for sign, glyph in page.glyphs if sign == "ب"}
    assert len(forms) >= 3  # at the beginning of a word, within it and at its end
    right_edge = envelopes.DEFAULT.width - envelopes.DEFAULT.margin_right
    in_text = [line for line in page.lines if line.top > envelopes.DEFAULT.text_top]
    assert max(line.right for line in in_text) == pytest.approx(right_edge, abs=TOLERANCE)
    assert min(line.left for line in in_text) > 60  # nothing of so short a text begins on the left
    assert [line.text for line in address(page, envelopes.DEFAULT)] == TO


def test_without_installed_typefaces_latin_greek_and_cyrillic_still_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "typefaces", lambda: ("DejaVu Sans Mono", "Libertinus Serif", "New Computer Modern"))
    assert paper.lacks_typefaces()
    for lang in ("de", "kk", "el"):
        salutation, body, name = SCRIPTS[lang]
        assert paper.unprintable([salutation, body]) == []
        made = paper._sheet([salutation, body, name], content(body, name=name), [name], TO, language=lang, on=ON)
        (page,) = sheets.read(paper._pressed([made], title="x", language=lang, layout=envelopes.DEFAULT)).pages
        faces = {face for line in page.lines for face in line.faces}
        assert faces <= {"LibertinusSerif-Regular", "LibertinusSerif-Bold"}
        assert 0 not in {glyph for _sign, glyph in page.glyphs}
    assert paper.unprintable([SCRIPTS["ar"][1], "漢字 かな 한글", "สวัสดี", "Größe 10 µ ª"]) == ["Arabic", "Cjk", "Thai"]


def test_installed_typefaces_are_known() -> None:
    assert not paper.lacks_typefaces()
    assert paper.unprintable(itertools.chain.from_iterable(SCRIPTS.values())) == []


def test_text_stays_text(letter: Letter) -> None:
    nasty = '#panic("x") *bold* _it_ $x^2$ `raw` @ref <label> // comment \\ #read("/etc/passwd") = heading "quoted"'
    writing.revise(letter, posted={"body": nasty, "subject": "#sys.inputs", "name": "Dana #{1+1} Writer"}, now=cast.NOW)
    targets = [target for target in without_us.targets_of(letter, now=cast.NOW) if target.post]
    made = paper.supporters_set(letter, targets, layout=envelopes.DEFAULT, language="en", on=ON)
    (page,) = sheets.read(made).pages
    assert nasty in page.text.replace("\n", " ")
    assert page.line("#sys.inputs")
    assert page.line("Dana #{1+1} Writer")


def test_a_supporters_set_says_who_they_are_and_keeps_nothing_of_their_street(letter: Letter) -> None:
    targets = [target for target in without_us.targets_of(letter, now=cast.NOW) if target.post]
    made = paper.supporters_set(
        letter, targets, layout=envelopes.DEFAULT, language="de", on=ON, address=["Oil Street 3", "04109 Leipzig"]
    )
    read = sheets.read(made)
    (page,) = read.pages
    head = page.within(120, 15, 195, 45)
    assert head == ["Dana Writer", "Oil Street 3", "04109 Leipzig", "dana@mail.example"]
    assert page.line("Dana Writer · Oil Street 3 · 04109 Leipzig")
    assert page.line("DEUTSCHLAND")
    assert (page.links, page.pictures) == (0, 0)  # no address on the web, no logo, no code to scan
    assert set(read.info) == {"Title", "Creator"}  # not who, not when
    assert read.title == writing.read(letter).subject
    assert "Oil Street" not in str(writing.read(letter).values())


def test_a_letter_to_those_who_learn_a_name_alone_says_no_more(letter: Letter) -> None:
    letter.ask.shows_town = letter.ask.shows_email = False
    letter.ask.save()
    writing.revise(letter, posted={}, now=cast.NOW)
    targets = [target for target in without_us.targets_of(letter, now=cast.NOW) if target.post]
    (page,) = sheets.read(paper.supporters_set(letter, targets, layout=envelopes.DEFAULT, language="en", on=ON)).pages
    assert page.within(120, 15, 195, 45) == ["Dana Writer"]
    assert cast.DANA["email"] not in page.text


def test_what_cannot_be_printed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.typ"
    broken.write_text("#panic()")
    with pytest.raises(press.NotPrinted):
        press.pressed(broken, {})
    endless = tmp_path / "endless.typ"
    endless.write_text("#let n = 0\n#while true { n += 1; if n > 1000000000 { break } }")
    monkeypatch.setattr(press, "SECONDS", 1)
    with pytest.raises(press.NotPrinted):
        press.pressed(endless, {})


def test_a_template_reads_no_files(tmp_path: Path) -> None:
    (tmp_path / "within").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    template = tmp_path / "within" / "curious.typ"
    template.write_text('#read("../secret.txt")')
    with pytest.raises(press.NotPrinted):
        press.pressed(template, {})
