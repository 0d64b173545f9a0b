"""The work that everybody measured here does: the same letters, to the same 60 targets.

A letter is its supporter's own: name, town and three sentences differ from one to the next. It is 2.3 kB of UTF-8 and
about 2.8 kB with its headers. Nothing here knows the product, so that what it delivers can be compared with this.
"""

from typing import NamedTuple

TARGETS = 60
SUBJECT = "Please speak for the oil workers of Zhanaozen on 16 December"
SENDER_DOMAIN = "letters.postbag.example"
_GIVEN = (
    "Łukasz", "Zoë", "Жанар", "José", "Šárka", "Bjørn", "Anaïs", "Ayşe", "Mária", "Jürgen", "Søren", "Ágnes", "Tuğba",
    "Émile", "Ωρίων", "Айгүл",
)  # fmt: skip
_FAMILY = (
    "Wójcik", "Åkesson", "Ахметова", "Nuñez", "Dvořáková", "Ødegård", "Lefèvre", "Yıldız", "Kováčová", "Müller",
    "Sørensen", "Szabó", "Öztürk", "Gérard", "Παππάς", "Серікова", "Brânză",
)  # fmt: skip
_TOWNS = ("Łódź", "Malmö", "Köln", "Orléans", "A Coruña", "Tromsø", "Győr", "İzmir", "Brno", "Bacău", "Cork")
_REASONS = (
    "My grandfather worked on the rigs in winter, and I know what a month without wages does to a family.",
    "I teach history, and my pupils have asked me why the guests of a jubilee never ask a question.",
    "I have been a member of a union for twenty years, and nobody ever took me to court for it.",
    "My neighbour comes from Aktau; her brother was dismissed in August and has found no work since.",
    "I drive to work on the oil that these people bring out of the ground, and that makes me a part of it.",
)
_STORY = """
Since May 2011 oil workers in West Kazakhstan have been on strike. They ask for fair pay and for a union that their
company does not control. By the end of August about 1,400 of them had been dismissed. It is winter now, the strike
is in its seventh month, and the families live on what their neighbours can spare.

Their lawyer, Natalia Sokolova, told workers how their pay compared with that of others. On 8 August a court in
Aktau sentenced her to six years in prison for “inciting social discord”. Advice is not a crime. In most countries
it is simply what lawyers do, and those who are advised do not have to fear for their jobs, or for their children.

She may not be the last. Esenbek Ukteshbayev and Ainur Kurmanov lead an independent union, which the authorities
refuse to register. Both face charges that carry up to six years. Meanwhile the country is to elect a new parliament
on 15 January, and neither the opposition parties nor the independent unions may stand.

On 16 December the republic marks twenty years of independence, and the world sends its good wishes. Yours will be
read, printed and shown on television. So I ask you for one thing: when you congratulate the president, please speak
in public for the strikers. Ask that everybody who is in prison because of the strike is released, that those who
were dismissed are taken back, and that a strike about pay is settled at a table and not in a criminal court.

A guest can ask what the strikers cannot. In July a singer whom the president had invited heard about them, and
stayed at home. It was in every newspaper, and in Zhanaozen people knew that somebody had seen them. That is why I
believe that a few words of yours will count, more than you may think, and I should be glad to hear of them. Please
tell me, if you can, what your government means to say on that day, and to whom in Astana it has spoken about the
strike so far. I shall read your answer to the others here who have written letters like mine.
"""
_PARAGRAPHS = [" ".join(paragraph.split()) for paragraph in _STORY.split("\n\n")]


class Supporter(NamedTuple):
    """Who writes the letter of a number."""

    name: str
    email: str
    town: str
    sentence: str


class Target(NamedTuple):
    """Who receives a copy of each letter."""

    name: str
    email: str
    salutation: str


def supporter(number: int) -> Supporter:
    """Return who writes the letter of this number, from nought."""
    name = f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[number % len(_FAMILY)]}"
    town = _TOWNS[number % len(_TOWNS)]
    reason = _REASONS[number % len(_REASONS)]
    sentence = f"{reason} This is letter {number + 1:,} from {town}."
    return Supporter(name, f"writer.{number}@mail.example", town, sentence)


def target(number: int) -> Target:
    """Return the target of this number, from nought; each has a receiving domain of its own."""
    family = _FAMILY[number % len(_FAMILY)]
    name = f"{_GIVEN[(number * 7 + 3) % len(_GIVEN)]} {family}"
    return Target(name, f"office@ministry-{number + 1}.example", f"Dear Minister {family}")


def body(number: int) -> str:
    """Return what the supporter of this number has written, without salutation and closing."""
    who = supporter(number)
    *story, last = _PARAGRAPHS
    plea = f"I live in {who.town}, I have read about this since the spring, and I will follow what you do. {last}"
    return "\n\n".join((who.sentence, *story, plea))


def text(number: int, to: int) -> str:
    """Return a letter's whole text as one target reads it."""
    who = supporter(number)
    return f"{target(to).salutation},\n\n{body(number)}\n\nYours sincerely\n\n{who.name}, {who.town}"


def sender(number: int) -> str:
    """Return the display name that a letter of this supporter has in From."""
    return f"{supporter(number).name} via {SENDER_DOMAIN}"
