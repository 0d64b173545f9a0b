"""Where no e-mail reaches anybody that a letter is for: by post, and being told once."""

import re

import pytest

from campaigns.models import Ask, Campaign
from letters import telling, tokens
from letters.models import Letter, Notice
from targets.models import Address, Target
from tests.web.supporters.conftest import SENTENCE, Dana, one_h1, page

NOWHERE = "We cannot deliver letters right now"


def _no_mail(campaign: Campaign, *, posts: int = 30) -> None:
    """Let no mail address of the demonstration work, and so many of its people have a postal one."""
    Address.objects.filter(kind="email").update(status=Address.Status.DEAD)
    office = Address.objects.create(kind="postal", value="Castle Square 1\n10115 Berlin", address_hash=b"")
    Target.objects.update(post=None)
    some = Target.objects.filter(lists__asks__campaign=campaign).order_by("pk").values("pk")[:posts]
    Target.objects.filter(pk__in=list(some.values_list("pk", flat=True))).update(post=office)


def test_a_letter_that_no_mail_delivers_is_written_and_printed(dana: Dana) -> None:
    _no_mail(dana.campaign)
    home = page(dana.get(dana.home))
    assert NOWHERE in home
    assert "But you can write it here, print it and post it." in home
    assert len(re.findall(r'<button class="button">', home)) == 1
    write = dana.begin()
    html = page(dana.get(write))
    assert "But you can write it here, print it and post it." in html
    assert html.count('name="then" value="print"') == 2, "the button, and what Enter presses"
    assert "Check my letter" not in html
    assert 'name="email"' not in html
    assert SENTENCE in html
    assert re.search(r'<p class="letter fixed"[^>]*>\w', html), "the salutation of somebody who can be posted to"
    answer = dana.post(write, {"name": "Dana Writer", "then": "print"})
    assert answer["Location"] == write.replace("/write/", "/print/")
    printed = page(dana.get(answer["Location"]))
    assert "Castle Square 1" in printed
    assert Letter.objects.get().stage == Letter.Stage.DRAFT


def test_who_comes_to_check_such_a_letter_is_led_to_the_printer(dana: Dana) -> None:
    check = dana.write()
    _no_mail(dana.campaign)
    html = page(dana.get(check))
    assert NOWHERE in html
    assert f'<a class="button" href="{check.replace("/check/", "/print/")}">' in html
    assert "Send my letter" not in html


@pytest.mark.parametrize("mode", [Ask.Mode.SUGGESTED, Ask.Mode.BY_COUNTRY, Ask.Mode.UP_TO])
def test_where_supporters_choose_they_choose_among_those_whom_post_reaches(dana: Dana, mode: str) -> None:
    Ask.objects.update(mode=mode)
    _no_mail(dana.campaign)
    begun = dana.begin()
    answer = dana.get(begun)
    to = answer["Location"] if answer.status_code == 303 else begun
    assert "/to/" in to
    chosen = re.search(r'name="to" value="([^"]+)"', page(dana.get(to)))
    assert chosen is not None
    write = dana.post(to, {"to": chosen[1]})["Location"]
    assert 'name="then" value="print"' in page(dana.get(write))


def test_without_mail_and_post_nothing_can_be_written(dana: Dana) -> None:
    _no_mail(dana.campaign, posts=0)
    html = page(dana.get(dana.home))
    assert NOWHERE in html
    assert "Please come back in a few days." in html
    assert 'name="sentence"' not in html


@pytest.mark.parametrize("posts", [0, 30])
def test_who_wants_to_is_told_once_how_it_goes_on(dana: Dana, posts: int) -> None:
    assert "Tell me once" not in page(dana.get(dana.home))
    _no_mail(dana.campaign, posts=posts)
    ask = f"{dana.home}{dana.ask().slug}/"
    assert "Tell me once how this goes on" in page(dana.get(ask))
    wrong = dana.post(f"{dana.home}once/", {"email": "ada@", "ask": dana.ask().slug})
    assert wrong.status_code == 422
    assert 'value="ada@"' in page(wrong)
    answer = dana.post(f"{dana.home}once/", {"email": "ada@mail.example", "ask": dana.ask().slug})
    assert answer["Location"] == f"{ask}?asked=once#once"
    assert "A mail is on its way" in page(dana.get(answer["Location"].partition("#")[0]))
    link = f"{dana.home}once/{tokens.make(tokens.ONCE, bytes(Notice.objects.get(kind='once').key))}/"
    dana.post(link)
    assert "Noted" in one_h1(dana.get(link))
    assert telling.who_asked(dana.campaign).count() == 1


def test_one_letter_that_reaches_nobody_is_enough_to_be_told(dana: Dana) -> None:
    Address.objects.filter(pk__in=Target.objects.filter(lists__asks=dana.ask(1)).values("email")).update(status="dead")
    assert "Tell me once" not in page(dana.get(dana.home))
    address = f"{dana.home}{dana.ask(1).slug}/"
    assert "Tell me once" in page(dana.get(address))
    answer = dana.post(f"{dana.home}once/", {"email": "ada@mail.example", "ask": dana.ask(1).slug})
    assert answer["Location"] == f"{address}?asked=once#once"
