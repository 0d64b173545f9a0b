"""Picks the targets whose letters are worth a look before a launch."""

import unicodedata
from collections.abc import Mapping, Sequence

AT_MOST = 5


def five_riskiest(targets: Sequence[Mapping[str, str]]) -> list[int]:
    """Indexes of up to five targets whose letter is most likely to go wrong.

    First one of each kind: the longest name, no title, no given name, a script other than Latin, no
    salutation; of several the one with most risks. Then whoever has most risks. Targets without any are left
    out, but for the longest name.
    """
    if not targets:
        return []
    risks = [_risks(target) for target in targets]
    longest = max(range(len(targets)), key=lambda index: (len(targets[index].get("name", "")), -index))
    risks[longest] = {"long", *risks[longest]}
    by_risk = sorted(range(len(targets)), key=lambda index: -len(risks[index]))
    picked: list[int] = []
    for kind in ("long", "title", "given_name", "script", "salutation"):
        if any(kind in risks[index] for index in picked):
            continue
        picked += [index for index in by_risk if kind in risks[index] and index not in picked][:1]
    picked += [index for index in by_risk if risks[index] and index not in picked]
    return picked[:AT_MOST]


def _risks(target: Mapping[str, str]) -> set[str]:
    risks = {key for key in ("title", "given_name", "salutation") if not target.get(key, "").strip()}
    return risks | {"script"} if _has_other_script(target.get("name", "")) else risks


def _has_other_script(name: str) -> bool:
    # Modifier letters, such as the Hawaiian ʻokina, belong to no script of their own.
    letters = (letter for letter in name if letter.isalpha() and unicodedata.category(letter) != "Lm")
    return any(
        not unicodedata.name(letter, "").startswith(("LATIN", "FULLWIDTH LATIN")) for letter in letters
    )
