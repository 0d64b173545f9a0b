"""The values a wording may name, what each one is, and an example of each."""

import difflib
from collections.abc import Collection, Mapping
from types import MappingProxyType

# A supporter's e-mail address, phone number and network address are left out on purpose:
# no wording may carry them to a target.
WITHHELD = frozenset({"email", "phone", "ip", "address"})

VOCABULARY: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "target": MappingProxyType(
            {
                "name": "full name",
                "given_name": "given name",
                "family_name": "family name",
                "title": "title, such as Dr or Ambassador",
                "role": "what the person does, such as Prime Minister",
                "institution": "the office or institution",
                "country": "country the person stands for",
                "salutation": "how the letter greets the person, such as Dear Prime Minister",
            }
        ),
        "supporter": MappingProxyType(
            {"name": "name as the supporter signs", "town": "town, if given", "country": "country, if given"}
        ),
        "campaign": MappingProxyType(
            {
                "title": "title of the campaign",
                "organisation": "the organisation that runs it",
                "deadline": "the date that matters, written out",
            }
        ),
        "ask": MappingProxyType({"title": "what this letter asks for, in one line"}),
    }
)

EXAMPLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "target": MappingProxyType(
            {
                "name": "Erika Mustermann",
                "given_name": "Erika",
                "family_name": "Mustermann",
                "title": "Dr",
                "role": "Ambassador",
                "institution": "Embassy of Exampleland",
                "country": "Exampleland",
                "salutation": "Dear Ambassador",
            }
        ),
        "supporter": MappingProxyType({"name": "Ada Bell", "town": "Leeds", "country": "United Kingdom"}),
        "campaign": MappingProxyType(
            {
                "title": "Twenty years are enough",
                "organisation": "Oil Workers' Aid",
                "deadline": "16 December 2011",
            }
        ),
        "ask": MappingProxyType({"title": "Speak up for the strikers"}),
    }
)


def offered(groups: Collection[str]) -> list[str]:
    """Every dotted name of the given groups, in the order of the vocabulary."""
    return [f"{group}.{key}" for group, keys in VOCABULARY.items() if group in groups for key in keys]


def nearest(name: str, groups: Collection[str]) -> str | None:
    """The offered name that looks most like `name` (dotted or not), or None where nothing comes close."""
    # Comparing costs length times length; no real slip is this long.
    if len(name) > 60:
        return None
    names = offered(groups)
    candidates = names if "." in name else [dotted.partition(".")[2] for dotted in names]
    close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.7)
    return names[candidates.index(close[0])] if close else None
