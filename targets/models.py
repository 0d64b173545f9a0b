"""Who receives: lists, targets, their addresses, and addresses that must not be written to."""

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import StrIndex, Substr

from accounts.identifiers import new_public_id
from accounts.models import Organisation, User
from targets import salutations


class Address(models.Model):
    """An e-mail or postal address, known once to the whole installation.

    Its status and its pace belong to the office that reads it, so they hold across all lists and campaigns.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        POSTAL = "postal", "Postal"
        OTHER = "other", "Other"

    class Status(models.TextChoices):
        UNKNOWN = "unknown", "Not tried yet"
        WORKING = "working", "Working"
        BOUNCING = "bouncing", "Bouncing"
        DEAD = "dead", "Dead"

    kind = models.CharField(max_length=6, choices=Kind.choices)
    value = models.CharField(max_length=500)  # e-mail: the canonical bare address; postal: its lines
    address_hash = models.BinaryField(max_length=32, db_index=True)  # keyed; what suppressions are found by
    domain = models.GeneratedField(  # e-mail: what stands behind the @; other kinds have none
        expression=Case(
            When(kind="email", then=Substr(F("value"), StrIndex(F("value"), Value("@")) + 1)), default=Value("")
        ),
        output_field=models.CharField(max_length=500),
        db_persist=True,
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.UNKNOWN)
    refused_at = models.DateTimeField(null=True, blank=True)  # when its server last said that it does not exist
    cap_per_hour = models.PositiveIntegerField(null=True, blank=True)  # empty: no cap
    cap_per_day = models.PositiveIntegerField(null=True, blank=True)
    opens_at = models.TimeField(null=True, blank=True)  # office hours, in `time_zone`; empty: always
    closes_at = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=40, default="UTC")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="address_known_once"),
            models.CheckConstraint(condition=Q(kind__in=["email", "postal", "other"]), name="address_kind_is_known"),
            models.CheckConstraint(
                condition=Q(status__in=["unknown", "working", "bouncing", "dead"]), name="address_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True, closes_at__isnull=True)
                | Q(opens_at__isnull=False, closes_at__isnull=False),
                name="address_office_hours_whole",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True) | Q(opens_at__lt=F("closes_at")),
                name="address_opens_before_it_closes",
            ),
            # An office that may get nothing is not written to at all: a cap of nought would let letters wait for ever.
            models.CheckConstraint(
                condition=(Q(cap_per_hour__isnull=True) | Q(cap_per_hour__gte=1))
                & (Q(cap_per_day__isnull=True) | Q(cap_per_day__gte=1)),
                name="address_caps_let_something_through",
            ),
        ]
        indexes = [
            # breaker: the mailboxes of a domain that rests
            models.Index(fields=["domain"], condition=Q(kind="email"), name="address_of_domain"),
        ]

    def __str__(self) -> str:
        return self.value

    @property
    def is_capped(self) -> bool:
        """Return whether deliveries must wait for the release step."""
        return self.cap_per_hour is not None or self.cap_per_day is not None or self.opens_at is not None


class Target(models.Model):
    """A person or office that receives letters."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="targets")
    name = models.CharField(max_length=100)
    given_name = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=200, blank=True)
    institution = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)  # ISO 3166-1 alpha-2
    language = models.CharField(max_length=12, blank=True)  # the language the office reads, BCP 47
    salutation = models.CharField(max_length=150, blank=True)  # "Dear Prime Minister", without the comma
    salutations = models.JSONField(default=dict, blank=True)  # in letters of other languages: {"fr": "Monsieur …"}
    email = models.ForeignKey(Address, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    post = models.ForeignKey(Address, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    version = models.ForeignKey(
        "TargetVersion", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )  # what new letters say; written by targets.lists alone

    def __str__(self) -> str:
        return self.name

    def values(self) -> dict[str, str]:
        """Return what the letter language may say of this target: plain strings (see targets.salutations)."""
        return {
            "name": self.name,
            "given_name": self.given_name,
            "family_name": self.family_name,
            "title": self.title,
            "role": self.role,
            "institution": self.institution,
            "country": self.country,
            "salutation": self.salutation,
            **salutations.as_values(self.salutations),
        }


class Photo(models.Model):
    """A small picture of a target for the page on which supporters choose: a WebP, as targets.pictures makes it."""

    target = models.OneToOneField(Target, on_delete=models.CASCADE, related_name="photo")
    content = models.BinaryField(max_length=4096)
    digest = models.CharField(max_length=32, db_index=True)  # of its content; what its address is made of

    def __str__(self) -> str:
        return f"photo of {self.target}"


class TargetVersion(models.Model):
    """What a target was called when a letter to it was confirmed. Never changed: later edits add a version."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="versions")
    values = models.JSONField()  # Target.values() of that day
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.values.get("name", ""))


class TargetList(models.Model):
    """A named list of targets."""

    class Kind(models.TextChoices):
        LEADERS = "leaders", "Leaders"
        EMBASSIES = "embassies", "Embassies"
        PERFORMERS = "performers", "Performers"
        OTHER = "other", "Other"

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="target_lists")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.OTHER)
    source = models.CharField(max_length=200, blank=True)
    checked_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    targets: "models.ManyToManyField[Target, ListEntry]" = models.ManyToManyField(
        Target, through="ListEntry", related_name="lists"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="list_name_once_per_organisation"),
            models.CheckConstraint(
                condition=Q(kind__in=["leaders", "embassies", "performers", "other"]), name="list_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def may_endanger(self) -> bool:
        """Return whether writing to these may endanger the writer: embassies report home who criticises their state."""
        return self.kind == self.Kind.EMBASSIES


class ListEntry(models.Model):
    """A target's place on a list; retired ones stay for the history."""

    class Exclusion(models.TextChoices):
        """Why its supporters are not offered this target for now; what they read is their page's own word."""

        ALLY = "ally", "Already supports us"
        ANSWERED = "answered", "Has answered"
        AWAY = "away", "Is away until a day"
        OWN = "own", "In words of our own"

    target_list = models.ForeignKey(TargetList, on_delete=models.CASCADE, related_name="entries")
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    exclusion = models.CharField(max_length=8, choices=Exclusion.choices, blank=True)  # empty: offered as usual
    exclusion_words = models.CharField(max_length=120, blank=True)
    excluded_until = models.DateField(null=True, blank=True)  # the last day of it; empty: until somebody ends it

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["target_list", "target"], name="target_once_per_list"),
            models.CheckConstraint(
                condition=Q(exclusion__in=["", "ally", "answered", "away"], exclusion_words="")
                | (Q(exclusion="own") & ~Q(exclusion_words="")),
                name="entry_exclusion_has_its_words",
            ),
            models.CheckConstraint(
                condition=Q(exclusion="away", excluded_until__isnull=False)
                | (~Q(exclusion="away") & Q(excluded_until__isnull=True)),
                name="entry_exclusion_has_its_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} on {self.target_list}"


class Suppression(models.Model):
    """An address that must not be written to: only a keyed hash of it is kept."""

    address_hash = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=40)
    source = models.CharField(max_length=120, blank=True)
    since = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, blank=True)  # empty: for good

    class Meta:
        # "is this address suppressed?" before every mail
        indexes = [models.Index(fields=["address_hash"], name="suppression_of_address")]

    def __str__(self) -> str:
        return f"{self.reason} since {self.since:%Y-%m-%d}"


class ImportedFile(models.Model):
    """A file or pasted table between upload and acceptance; nothing of it is written to the list before that."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    target_list = models.ForeignKey(TargetList, on_delete=models.CASCADE, related_name="imported_files")
    by = models.ForeignKey(User, on_delete=models.CASCADE)
    filename = models.CharField(max_length=200)
    content = models.BinaryField()
    table = models.PositiveSmallIntegerField(default=0)
    columns = models.JSONField(default=list)  # field per column, once matched
    skipped_lines = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    accepted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.filename
