"""What simulated supporters write: real sentences, and edits such as people make; never padding."""

import random

from campaigns import wording
from campaigns.demonstration import loading
from config.rehearsal import own_words
from letters import likeness
from letters.own_words import count

GIVEN = wording.parse(loading.said_in("en")["asks"]["leaders"]["body"], passage="body")
SUPPORTERS = 300


def _letters(share: float) -> list[str]:
    bodies = []
    for number in range(SUPPORTERS):
        chance = random.Random(number)  # noqa: S311  the same each time
        body = GIVEN.render({}, draw=wording.Draw(number))
        if chance.random() < share:
            own = own_words.paragraph(chance)
            edited, added = own_words.edited(f"{own}\n\n{body}", chance)
            assert all(sentence in edited for sentence in (own, *added))
            assert count(edited, body) >= 10
            assert 60 < len(edited.split()) < 400
            body = edited
        bodies.append(body)
    return bodies


def _alike_share(share: float) -> float:
    return sum(map(bool, likeness.alike_earlier(_letters(share)))) / SUPPORTERS


def test_letters_in_own_words_are_hardly_ever_alike() -> None:
    assert _alike_share(1) == 0


def test_letters_sent_as_they_are_meet_now_and_then() -> None:
    assert 0 < _alike_share(0) < 0.1


def test_the_same_chance_writes_the_same_sentences() -> None:
    one, other = (own_words.paragraph(random.Random(7)) for _ in range(2))  # noqa: S311  the same each time
    assert one == other
