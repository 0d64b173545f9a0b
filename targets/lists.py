"""Keeping target lists: adding, changing, retiring and importing targets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from accounts.models import Organisation, User
from targets import exclusions, imports, paces, photos, salutations, suppressions
from targets.addresses import AddressRefused, NameRefused, clean_person_name, is_role_address, parse_email
from targets.models import Address, ImportedFile, ListEntry, Target, TargetList, TargetVersion

FIELDS = (
    "name", "given_name", "family_name", "title", "role", "institution", "country", "language", "salutation",
)  # fmt: skip
SALUTATIONS = "salutations"  # in letters of other languages, one line for each; where it is missing they stay


class TargetRefused(ValueError):
    """Something about a target that cannot be kept: a sentence for each field."""

    code = "target_refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        self.sentence = " ".join(self.errors.values())
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Reachable:
    """A target and how a letter reaches it: by e-mail, or else by post alone."""

    target: Target
    by_email: bool


@dataclass
class ImportResult:
    """What an accepted import did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0
    skipped: int = 0
    readdressed: list[Target] = field(default_factory=list)  # whose e-mail address is another one now
    targets: list[Target] = field(default_factory=list)


def create_list(*, organisation: Organisation, name: str, kind: str, source: str = "") -> TargetList:
    """Make an empty list; raises TargetRefused where the name is blank or taken."""
    name = " ".join(name.split())
    if not name:
        raise TargetRefused({"name": "Give the list a name, such as “Embassies in Europe”."})
    if len(name) > 120:
        raise TargetRefused({"name": "The name has more than 120 characters. Shorten it."})
    if kind not in TargetList.Kind.values:
        raise TargetRefused({"kind": "Choose what kind of list this is."})
    if organisation.target_lists.filter(name__iexact=name).exists():
        raise TargetRefused({"name": f"There is already a list called “{name}”. Choose another name."})
    return TargetList.objects.create(organisation=organisation, name=name, kind=kind, source=source[:200])


def active_targets(target_list: TargetList) -> QuerySet[Target]:
    """Return the list's targets that are not retired, in the list's order; those left out for now are among them."""
    return _active(target_list, Q())


def offered_targets(target_list: TargetList, *, now: datetime) -> QuerySet[Target]:
    """Return the list's targets that supporters are offered: neither retired nor left out (targets.exclusions)."""
    return _active(target_list, exclusions.is_offered(now, of="entries__"))


def reachable_targets(
    target_list: TargetList, *, now: datetime, only: Collection[int] | None = None
) -> list[Reachable]:
    """Return whom a letter could go to, in the list's order: by e-mail, else by post alone. `only`: just these ids.

    Who is left out for now is not among them. An address that must not be written to leaves its target out; one that
    no longer exists leaves it the post.
    """
    rows = _writable(target_list, now=now, only=only).select_related(None)
    by_email = set(deliverable(target_list, now=now, only=only).values_list("pk", flat=True))
    found = [Reachable(row, by_email=row.pk in by_email) for row in rows]
    return [each for each in found if each.by_email or each.target.post_id is not None]


def deliverable(
    target_list: TargetList, *, now: datetime, only: Collection[int] | None = None
) -> QuerySet[Target]:
    """Return the targets a letter confirmed now would go to: offered, working e-mail address, not suppressed.

    `only`: of these. The statement that creates deliveries (letters.lifecycle) asks the same.
    """
    rows = _writable(target_list, now=now, only=only)
    return rows.filter(email__isnull=False).exclude(email__status=Address.Status.DEAD)


def deliverable_targets(
    target_list: TargetList, *, now: datetime, only: Collection[int] | None = None
) -> list[Target]:
    """Return the deliverable targets themselves."""
    return list(deliverable(target_list, now=now, only=only))


def lists_with_counts(organisation: Organisation) -> QuerySet[TargetList]:
    """Return the lists with `.size`, `.with_email` and `.with_post`."""
    active = Q(entries__retired_at__isnull=True)
    return organisation.target_lists.annotate(
        size=Count("entries", filter=active),
        with_email=Count("entries", filter=active & Q(entries__target__email__isnull=False)),
        with_post=Count("entries", filter=active & Q(entries__target__post__isnull=False)),
    ).order_by("name")


def checked(values: Mapping[str, str], errors: dict[str, str]) -> dict[str, str]:
    """Return the values of one target, cleaned; a sentence for each field that is wrong goes into `errors`."""
    clean = _names(values, errors)
    clean |= {"email": _checked_email(values, errors), "postal_address": _checked_post(values, errors)}
    if not clean["email"] and not clean["postal_address"] and "email" not in errors:
        errors["email"] = "Give an e-mail address, a postal address or both."
    return clean


def _active(target_list: TargetList, condition: Q) -> QuerySet[Target]:
    return (
        Target.objects.filter(condition, entries__target_list=target_list, entries__retired_at__isnull=True)
        .select_related("email", "post", "version")
        .order_by("entries__position", "entries__id")
    )


def _writable(target_list: TargetList, *, now: datetime, only: Collection[int] | None) -> QuerySet[Target]:
    suppressed = suppressions.in_force(now).filter(address_hash=OuterRef("email__address_hash"))
    rows = offered_targets(target_list, now=now).exclude(Exists(suppressed))
    return rows if only is None else rows.filter(pk__in=only)


def _names(values: Mapping[str, str], errors: dict[str, str]) -> dict[str, str]:
    clean: dict[str, str] = {}
    for name in FIELDS:
        limit = getattr(Target._meta.get_field(name), "max_length", None) or 100  # noqa: SLF001  documented
        limit = 100 if name == "country" else limit  # a country that is too long has its own sentence
        try:
            text = values.get(name, "")
            clean[name] = clean_person_name(text, limit=limit) if text.strip() else ""
        except NameRefused as refused:
            errors[name] = refused.sentence
    if "name" not in errors and not clean["name"]:
        clean["name"] = f"{clean.get('given_name', '')} {clean.get('family_name', '')}".strip()[:100]
        if not clean["name"]:
            errors["name"] = "Give the name of the person or office."
    clean["country"] = clean.get("country", "").upper()
    if clean["country"] and (len(clean["country"]) != 2 or not clean["country"].isalpha()):
        errors["country"] = "Give the country as two letters, such as DE or KZ."
    clean["language"] = clean.get("language", "").lower()
    clean["salutation"] = clean.get("salutation", "").rstrip(",")
    return clean


def _checked_email(values: Mapping[str, str], errors: dict[str, str]) -> str:
    text = values.get("email", "").strip()
    if not text:
        return ""
    try:
        address = parse_email(text)
    except AddressRefused as refused:
        errors["email"] = refused.sentence
        return ""
    if is_role_address(address):
        errors["email"] = "Nobody reads this kind of address. Give the office's own address."
    return address


def _checked_salutations(typed: str) -> dict[str, str]:
    """Return the salutations in other languages, cleaned; raises TargetRefused."""
    try:
        return {language: clean_person_name(text, limit=150) for language, text in salutations.read(typed).items()}
    except NameRefused as refused:
        raise TargetRefused({SALUTATIONS: refused.sentence}) from refused
    except ValueError as error:
        sentence = f"“{error}” does not say its language. Write one line for each, such as fr: Monsieur le Président."
        raise TargetRefused({SALUTATIONS: sentence}) from error


def _checked_post(values: Mapping[str, str], errors: dict[str, str]) -> str:
    lines = (" ".join(line.split()) for line in values.get("postal_address", "").splitlines())
    post = "\n".join(line for line in lines if line)
    if len(post) > 500:
        errors["postal_address"] = "The postal address has more than 500 characters. Shorten it."
    return post


@transaction.atomic
def save_target(
    *,
    target_list: TargetList,
    values: Mapping[str, str],
    target: Target | None = None,
    uncapped: bool = False,
) -> tuple[Target, str]:
    """Add a target to the list, or change one; return it and "added", "changed" or "unchanged".

    Letters already confirmed keep the wording they were pinned with: a change adds a TargetVersion. `uncapped`
    leaves new addresses without a pace, as for the demonstration's, which nobody reads. Raises TargetRefused.
    """
    errors: dict[str, str] = {}
    clean, pace = checked(values, errors), paces.checked(values, errors)
    if errors:
        raise TargetRefused(errors)
    new = target is None
    if target is None:
        target = Target(organisation=target_list.organisation)
    before = (target.email_id, target.post_id, target.values(), target.language)
    for name in FIELDS:
        setattr(target, name, clean[name])
    if SALUTATIONS in values:
        target.salutations = _checked_salutations(values[SALUTATIONS])
    target.email = _address(Address.Kind.EMAIL, clean["email"], uncapped=uncapped)
    target.post = _address(Address.Kind.POSTAL, clean["postal_address"], uncapped=True)
    paced = target.email is not None and _set_pace(target.email, pace)
    unchanged = not new and not paced and before == (target.email_id, target.post_id, target.values(), target.language)
    if not unchanged:
        target.save()
        if target.version is None or target.version.values != target.values():
            target.version = TargetVersion.objects.create(target=target, values=target.values())
            target.save(update_fields=["version"])
    _list(target, target_list)
    return target, "added" if new else "unchanged" if unchanged else "changed"


def retire(*, target_list: TargetList, target: Target, now: datetime) -> None:
    """Take a target off the list for new letters; its history stays. Its photo goes with its last place on a list."""
    ListEntry.objects.filter(target_list=target_list, target=target, retired_at=None).update(retired_at=now)
    photos.forget_retired(target)


def restore(*, target_list: TargetList, target: Target) -> None:
    """Put a retired target back on the list."""
    ListEntry.objects.filter(target_list=target_list, target=target).update(retired_at=None)


def keep_file(*, target_list: TargetList, by: User, filename: str, content: bytes) -> ImportedFile:
    """Keep an uploaded or pasted table for its preview; raises imports.ImportRefused where it is none."""
    table = imports.read(content, filename=filename)[0]
    columns = [guess.field for guess in imports.guess_columns(table)]
    return ImportedFile.objects.create(
        target_list=target_list, by=by, filename=filename[-200:] or "pasted table", content=content, columns=columns
    )


@dataclass(frozen=True)
class Comparison:
    """What accepting an import would do, row by row. Nothing is written."""

    new: list[imports.Row]
    changed: list[tuple[imports.Row, Target, list[tuple[str, str, str]]]]  # field, before, after
    unchanged: list[imports.Row]
    refused: list[imports.Row]
    skipped: list[imports.Row]
    missing: list[Target]  # on the list, not in the file


def compare(
    target_list: TargetList, rows: Sequence[imports.Row], *, skipped_lines: Sequence[int] = ()
) -> Comparison:
    """Compare checked rows with the list. A row is a known target where the e-mail address, else the name, agrees."""
    known = list(active_targets(target_list))
    by_email = {t.email.value.lower(): t for t in known if t.email}
    by_name = {t.name.casefold(): t for t in known}
    result = Comparison([], [], [], [], [], [])
    seen: set[int] = set()
    for row in rows:
        if row.line in skipped_lines:
            result.skipped.append(row)
            continue
        if not row.ok:
            result.refused.append(row)
            continue
        match = by_email.get(row.values.get("email", "").lower()) or by_name.get(
            row.values.get("name", "").casefold()
        )
        if match is None:
            result.new.append(row)
            continue
        seen.add(match.pk)
        differences = _differences(match, row.values)
        if differences:
            result.changed.append((row, match, differences))
        else:
            result.unchanged.append(row)
    result.missing.extend(t for t in known if t.pk not in seen)
    return result


@transaction.atomic
def accept_import(
    *, file: ImportedFile, comparison: Comparison, retire_missing: bool, now: datetime
) -> ImportResult | None:
    """Write an import that a person has seen and accepted, all or nothing; None where it already was."""
    if not ImportedFile.objects.filter(pk=file.pk, accepted_at=None).update(accepted_at=now):
        return None
    result = ImportResult(unchanged=len(comparison.unchanged), skipped=len(comparison.skipped))
    for row in comparison.new:
        target, _ = save_target(target_list=file.target_list, values=row.values)
        result.targets.append(target)
        result.added += 1
    for row, target, _ in comparison.changed:
        merged = {**_values(target), **{k: v for k, v in row.values.items() if v}}
        address = target.email_id
        save_target(target_list=file.target_list, values=merged, target=target)
        result.changed += 1
        if target.email_id != address:
            result.readdressed.append(target)
    if retire_missing:
        for target in comparison.missing:
            retire(target_list=file.target_list, target=target, now=now)
            result.retired += 1
    file.target_list.checked_on = now.date()
    file.target_list.save(update_fields=["checked_on"])
    return result


def forget_files(*, now: datetime, after_hours: int = 24) -> int:
    """Delete uploaded tables that are older than a day; return how many."""
    return ImportedFile.objects.filter(created_at__lt=now - timedelta(hours=after_hours)).delete()[0]


def _values(target: Target) -> dict[str, str]:
    return {
        **target.values(),
        "language": target.language,
        "email": target.email.value if target.email else "",
        "postal_address": target.post.value if target.post else "",
    }


def _differences(target: Target, values: Mapping[str, str]) -> list[tuple[str, str, str]]:
    before = _values(target)
    return [
        (name, before.get(name, ""), value)
        for name, value in values.items()
        if value and name in before and not _is_same(name, value.strip(), before[name])
    ]


def _is_same(name: str, one: str, other: str) -> bool:
    """Return whether two values are the same; the case of a mailbox's name tells none from another."""
    return one.lower() == other.lower() if name == "email" else one == other


def _address(kind: str, value: str, *, uncapped: bool) -> Address | None:
    """Return the address as the installation knows it, made where it does not.

    `Office@` and `office@` are one mailbox with one pace, in the spelling that came first: a server may tell them apart
    (RFC 5321 §2.4), but no office that wants its mail does.
    """
    if not value:
        return None
    defaults: dict[str, Any] = {"address_hash": b""}
    if kind == Address.Kind.EMAIL:
        defaults["address_hash"] = hashed = suppressions.address_hash(value)
        alike = Address.objects.filter(kind=kind, address_hash=hashed).order_by("pk")
        if known := next((one for one in alike if one.value.lower() == value.lower()), None):
            return known
        if not uncapped:
            defaults["cap_per_hour"] = paces.USUAL_PER_HOUR
    return Address.objects.get_or_create(kind=kind, value=value, defaults=defaults)[0]


def _set_pace(address: Address, pace: Mapping[str, Any]) -> bool:
    """Write down what was given of an address's pace; return whether anything of it is new."""
    changed = [name for name, value in pace.items() if getattr(address, name) != value]
    for name in changed:
        setattr(address, name, pace[name])
    if changed:
        address.save(update_fields=changed)
    return bool(changed)


def _list(target: Target, target_list: TargetList) -> None:
    if ListEntry.objects.filter(target=target, target_list=target_list).exists():
        return
    last = target_list.entries.aggregate(last=Max("position"))["last"] or 0
    ListEntry.objects.create(target=target, target_list=target_list, position=last + 1)
