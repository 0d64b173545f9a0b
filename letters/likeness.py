"""Which letters to one target read alike: what an office that sorts form mail away would see."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence, Set
from dataclasses import dataclass
from math import ceil
from typing import TypeAlias

from campaigns.models import Ask
from letters import own_words, writing
from letters.models import Delivery, Letter
from targets.models import Target

MORE_THAN = 0.9  # of all the five-word runs of two letters, so many in both (Jaccard): then they read alike
RUN = 5  # words
LETTERS_COMPARED = 300  # the newest that organisers' pages look at …
DELIVERIES_COMPARED = 30_000  # … and fewer where each went to very many

Runs: TypeAlias = Set[Hashable]


@dataclass(frozen=True)
class Likeness:
    """Of the letters to one target, or to several, how many read like an earlier one to the same."""

    letters: int = 0
    alike: int = 0

    @property
    def share(self) -> float:
        """Return the share of letters that read alike, from 0 to 1."""
        return self.alike / self.letters if self.letters else 0.0

    def __add__(self, other: "Likeness") -> "Likeness":
        return Likeness(self.letters + other.letters, self.alike + other.alike)


def per_target(ask: Ask, *, most: int | None = LETTERS_COMPARED) -> dict[int, Likeness]:
    """Return the likeness of the letters to each target, by its id; by the `most` newest whose text is still kept.

    What a letter says between salutation and sign-off is the same for each of its targets, so each text is opened and
    compared once.
    """
    letters = Letter.objects.filter(ask=ask, stage=Letter.Stage.CONFIRMED).exclude(sealed=b"").order_by("-pk")
    if most is not None:
        targets = max(1, ask.target_list.entries.filter(retired_at=None).count())
        letters = letters[: max(2, min(most, DELIVERIES_COMPARED // targets))]
    opened = sorted(letters.select_related("campaign"), key=lambda letter: letter.pk)
    earlier = alike_earlier([writing.read(letter).body for letter in opened])
    place = {letter.pk: n for n, letter in enumerate(opened)}
    arrived: dict[int, int] = defaultdict(int)  # by target: a bit for each letter that it was written
    rows = Delivery.objects.filter(letter__ask=ask, letter__gte=min(place, default=0))
    rows = rows.exclude(state=Delivery.State.CANCELLED)
    for letter_id, target_id in rows.values_list("letter_id", "target_id").iterator(chunk_size=5000):
        if letter_id in place:
            arrived[target_id] |= 1 << place[letter_id]
    return {target_id: _seen(there, earlier) for target_id, there in arrived.items()}


def by_name(ask: Ask, *, most: int | None = LETTERS_COMPARED) -> list[tuple[str, Likeness]]:
    """Return each target's name with its likeness, the most alike first."""
    found = per_target(ask, most=most)
    names = dict(Target.objects.filter(pk__in=found).values_list("pk", "name"))
    return sorted(
        ((names[pk], likeness) for pk, likeness in found.items()), key=lambda one: (-one[1].share, one[0].casefold())
    )


def together(several: Iterable[Likeness]) -> Likeness:
    """Return the likeness over several targets: of all their letters, how many were like an earlier one there."""
    return sum(several, Likeness())


def runs(body: str) -> frozenset[Hashable]:
    """Return the five-word runs of a letter's body, as numbers; of a shorter one its words."""
    found = own_words.words(body)
    length = min(RUN, len(found)) or 1
    return frozenset(map(hash, zip(*(found[n:] for n in range(length)), strict=False)))


def alike_earlier(bodies: Sequence[str]) -> list[int]:
    """Return for each letter, in order, a bit for each earlier one that it is more than 90 % alike to.

    Not every pair is compared. Two letters that share more than nine tenths share one of the rarest tenth of their
    runs (prefix filtering: Bayardo, Ma and Srikant 2007), so only letters that meet there are counted out, exactly.
    """
    texts: dict[frozenset[Hashable], int] = {}  # each text once, with a bit for each letter that says it
    found = []
    for at, body in enumerate(bodies):
        said = runs(body)
        texts[said] = texts.get(said, 0) | 1 << at
        found.append(said)
    groups = _alike_groups(list(texts))
    said_by = list(texts.values())
    place = {said: n for n, said in enumerate(texts)}
    earlier = []
    for at, said in enumerate(found):
        like = 0
        for group in groups[place[said]]:
            like |= said_by[group]
        earlier.append(like & ((1 << at) - 1))
    return earlier


def _alike_groups(texts: Sequence[Runs]) -> list[list[int]]:
    """Return for each of several different texts those that it is alike to, itself included."""
    frequency = Counter(run for said in texts for run in said)
    # What only one text says is shared by no two; the rest has a bit each, so that sharing is counted by "and".
    bits = {run: 1 << n for n, (run, times) in enumerate(frequency.most_common()) if times > 1}
    shared = [sum(bits.get(run, 0) for run in said) for said in texts]
    meeting: dict[Hashable, list[int]] = defaultdict(list)
    alike = [[n] for n in range(len(texts))]
    for n, said in enumerate(texts):
        rarest_first = sorted(said, key=lambda run: (frequency[run], run))
        met: set[int] = set()
        for run in rarest_first[: len(said) - ceil(MORE_THAN * len(said)) + 1]:
            met.update(meeting[run])
            meeting[run].append(n)
        for other in met:
            both = (shared[n] & shared[other]).bit_count()
            if both > MORE_THAN * (len(said) + len(texts[other]) - both):
                alike[n].append(other)
                alike[other].append(n)
    return alike


def _seen(there: int, earlier: Sequence[int]) -> Likeness:
    """Return the likeness of the letters whose bits are set: each compared with those before it, at this target."""
    alike, rest = 0, there
    while rest:
        lowest = rest & -rest
        alike += bool(earlier[lowest.bit_length() - 1] & there)
        rest ^= lowest
    return Likeness(there.bit_count(), alike)
