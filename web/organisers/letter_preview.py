"""A letter as a target would read it, from a wording that is not saved: composed exactly as a real one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from campaigns import wording
from campaigns.models import Ask, LetterTemplate
from letters import composing
from letters.composing import Content, FinishedLetter
from targets.models import Target

SAMPLE = Content(name="Ada Bell", email="ada@mail.example", town="Leeds", country="GB")
PASSAGES = ("subject", "salutation", "body", "closing")
DRAWS = 2**31


@dataclass(frozen=True)
class Preview:
    """One letter for one target; `refused` says why there is none yet."""

    target: Target | None
    letter: FinishedLetter | None
    refused: str = ""


def preview(ask: Ask, passages: Mapping[str, str], target: Target | None, *, draw: int) -> Preview:
    """Compose the letter of a sample supporter to one target; nothing is saved.

    Without a target the vocabulary's example stands in.
    """
    template = LetterTemplate(
        ask=ask, language=ask.default_language, **{name: passages.get(name, "") for name in PASSAGES}
    )
    values = target.values() if target else dict(wording.EXAMPLES["target"])
    try:
        sample = composing.pinned(SAMPLE, ask, template.language)
        subject, body = composing.given(template, sample, draw=draw)
        content = replace(sample, subject=subject, body=body)
        return Preview(target, composing.Finisher(template, content, draw=draw).finish(values))
    except wording.WordingError as error:
        return Preview(target, None, error.sentence)


def riskiest(targets: Sequence[Target]) -> list[tuple[Target, str]]:
    """Return up to five targets whose letter is most likely to go wrong, each with its reason as a code."""
    values = [target.values() for target in targets]
    return [(targets[index], _risk(values[index])) for index in wording.five_riskiest(values)]


def offered(ask: Ask, targets: Sequence[Target], target: Target | None) -> list[tuple[str, str, str, int]]:
    """Return every value of the letter language: name, meaning, an example, for how many it is empty."""
    sample = composing.pinned(SAMPLE, ask, ask.default_language)
    real: dict[str, Mapping[str, str]] = dict(composing.offered(sample))
    real["target"] = target.values() if target else wording.EXAMPLES["target"]
    rows = []
    for group, meanings in wording.VOCABULARY.items():
        for key, meaning in meanings.items():
            empty = sum(not each.values()[key].strip() for each in targets) if group == "target" else 0
            rows.append((f"{group}.{key}", meaning, real[group].get(key, ""), empty))
    return rows


def _risk(values: Mapping[str, str]) -> str:
    if not values["salutation"]:
        return "no_salutation"
    if any(letter.isalpha() and ord(letter) > 0x24F for letter in values["name"]):
        return "script"
    if not values["given_name"]:
        return "no_given_name"
    if not values["title"]:
        return "no_title"
    return "long_name"
