"""Checks the passages of a letter template together and says everything that should be mended."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from campaigns.wording.courtesy import remarks
from campaigns.wording.evaluation import blank_values
from campaigns.wording.findings import Finding, listed
from campaigns.wording.language import parse
from campaigns.wording.passage import Wording
from campaigns.wording.readings import Reading, readings
from campaigns.wording.refusals import WordingError
from campaigns.wording.tree import Block, Text, values_in, variants_in
from campaigns.wording.vocabulary import EXAMPLES

# What str.splitlines takes for the end of a line, and so may a mail program.
_LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def lint(
    passages: Mapping[str, str],
    *,
    editable: Collection[str] = ("subject", "body"),
    targets: Sequence[Mapping[str, str]] = (),
) -> list[Finding]:
    """Everything found in a letter template, in reading order, but at most one syntax error per passage.

    `passages` maps subject, salutation, body and closing to their wordings. The `editable` ones are rendered
    before anybody knows the target, so no target value may stand in them. `targets` are the values of the
    target list, one mapping of plain strings each; without them an example stands in. Never raises for what
    a wording holds.
    """
    findings: list[Finding] = []
    read: dict[str, list[Reading]] = {}
    for passage, text in passages.items():
        try:
            wording = parse(text, passage=passage)
            rendered = list(readings(wording, targets))
        except WordingError as error:
            findings.append(_refusal(error, passage, targets))
            continue
        read[passage] = rendered
        findings += _empty(rendered, targets)
        findings += _lone_variants(wording)
        if passage in editable:
            findings += _target_values(wording)
        else:
            findings += _missing_values(wording, targets)
        if passage == "subject":
            findings += _line_breaks(rendered)
        if passage == "body" and not wording.variants() and text.strip():
            findings.append(_alike(wording))
    findings += remarks(read, targets)
    order = list(passages)
    return sorted(findings, key=lambda one: (order.index(one.passage), one.line, one.column))


def _refusal(error: WordingError, passage: str, targets: Sequence[Mapping[str, str]]) -> Finding:
    cure = error.cure
    group, _, key = (error.suggestion or "").partition(".")
    if group == "target" and targets:
        empty = sum(not target.get(key, "").strip() for target in targets)
        cure += f" It is empty for {empty} of {len(targets)} targets." if empty else ""
    return Finding("error", error.code, passage, error.line, error.column, error.why, cure)


def _empty(rendered: Sequence[Reading], targets: Sequence[Mapping[str, str]]) -> Iterator[Finding]:
    """A passage of which nothing is left, for anybody, in any wording."""
    blank = [reading for reading in rendered if not reading.text.strip()]
    if not blank:
        return
    wording = blank[0].wording
    who = sorted({reading.target for reading in blank if reading.target is not None})
    why = f"The {wording.passage} is empty."
    if 0 < len(who) < len(targets):
        why = f"The {wording.passage} is empty for {_counted(who, targets)}."
    yield _error(wording, 0, "empty_passage", why, "Write something that everybody gets.")


def _lone_variants(wording: Wording) -> Iterator[Finding]:
    for variant in variants_in(wording.block):
        if any(_says_nothing(branch) for branch in variant.branches):
            why, cure = "One wording of this variant is empty.", "Write it, or remove it with its `{% or %}`."
            yield _error(wording, variant.offset, "empty_variant", why, cure)
        elif len(variant.branches) == 1:
            why, cure = (
                "This variant has only one wording.",
                "Add another after `{% or %}`, or remove the tags.",
            )
            yield _error(wording, variant.offset, "single_variant", why, cure)


def _says_nothing(branch: Block) -> bool:
    return all(isinstance(node, Text) and not node.text.strip() for node in branch)


def _target_values(wording: Wording) -> Iterator[Finding]:
    for value in values_in(wording.block):
        if value.group == "target":
            yield _error(
                wording,
                value.offset,
                "target_value_in_editable",
                f"`{value.dotted}` stands in the {wording.passage}, which is edited once for all targets.",
                "Put it into the salutation or the closing.",
            )


def _missing_values(wording: Wording, targets: Sequence[Mapping[str, str]]) -> Iterator[Finding]:
    """Target values that leave a gap for some of the targets."""
    gaps: dict[int, list[int]] = {}
    for index, target in enumerate(targets):
        for value in blank_values(wording.block, {**EXAMPLES, "target": target}):
            gaps.setdefault(value.offset, []).append(index)
    for value in values_in(wording.block):
        if value.offset in gaps:
            who = gaps[value.offset]
            yield _error(
                wording,
                value.offset,
                "value_missing",
                f"`{value.dotted}` is empty for {_counted(who, targets)}.",
                f"Write `{{{{ {value.dotted}|default('…') }}}}`, or put it in `{{% if {value.dotted} %}}`.",
            )


def _line_breaks(rendered: Sequence[Reading]) -> Iterator[Finding]:
    for reading in rendered:
        if not _LINE_ENDS.isdisjoint(reading.text):
            position = next(place for place, letter in enumerate(reading.raw) if letter in _LINE_ENDS)
            why = "The subject has more than one line."
            yield _error(
                reading.wording, reading.offset(position), "subject_line_break", why, "Use one line."
            )
            return


def _alike(wording: Wording) -> Finding:
    cure = "Add another wording: `{% variant %}…{% or %}…{% endvariant %}`."
    return Finding("warning", "no_variant", wording.passage, 1, 1, "Offices filter by likeness.", cure)


def _counted(who: Sequence[int], targets: Sequence[Mapping[str, str]]) -> str:
    return f"{len(who)} of {len(targets)} targets: {listed(who, targets)}"


def _error(wording: Wording, offset: int, code: str, why: str, cure: str) -> Finding:
    line, column = wording.place(offset)
    return Finding("error", code, wording.passage, line, column, why, cure)
