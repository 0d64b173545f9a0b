"""What is asked: campaigns, their asks, and the wording of each ask."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Organisation, User
from targets.models import TargetList


class Campaign(models.Model):
    """What is campaigned for. Its stage says whether letters may be written; pausing says whether they leave."""

    class Stage(models.TextChoices):
        DRAFT = "draft", "Draft"  # nobody but members sees it
        OPEN = "open", "Open"  # supporters write
        CLOSED = "closed", "Closed"  # nobody writes any more; what waits still leaves unless it was stopped

    class Ending(models.TextChoices):
        NONE = "", "None"
        WON = "won", "Won"
        ENDED = "ended", "Ended"
        PAUSED = "paused", "Paused"  # nobody writes for now; it may open again
        MOVED = "moved", "Moved"

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="campaigns")
    slug = models.SlugField(max_length=60, unique=True)
    default_language = models.CharField(max_length=12, default="en")
    stage = models.CharField(max_length=6, choices=Stage.choices, default=Stage.DRAFT)
    ending = models.CharField(max_length=6, choices=Ending.choices, default=Ending.NONE, blank=True)
    ending_words = models.TextField(max_length=2000, blank=True)
    ending_link = models.CharField(max_length=300, blank=True)  # what supporters can do next, or where it goes on
    paused_at = models.DateTimeField(null=True, blank=True)  # delivery rests; letters keep being confirmed
    paused_because = models.CharField(max_length=300, blank=True)
    paused_cause = models.CharField(max_length=20, blank=True)  # where the system paused it: a code …
    paused_evidence = models.JSONField(default=dict, blank=True)  # … and the figures and words that made it
    seen = models.JSONField(default=dict, blank=True)  # figures a person knew when resuming: no cause to pause again
    stopped_at = models.DateTimeField(null=True, blank=True)  # letters confirmed up to then are not sent any more
    is_stopping = models.BooleanField(default=False)  # … and their deliveries are still being cancelled
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)  # by itself, then; empty: when somebody closes it
    time_zone = models.CharField(max_length=40, default="UTC", db_default="UTC")  # in which its end is told
    deadline = models.CharField(max_length=60, blank=True)  # in words, only if real
    confirm_within_hours = models.PositiveSmallIntegerField(default=72)
    never_twice = models.BooleanField(default=False)  # the first unclear ending waits for a person
    most_links = models.PositiveSmallIntegerField(default=2)
    is_compact = models.BooleanField(default=False, db_default=False)  # the letter stands on the campaign's page
    look = models.JSONField(default=dict, blank=True)  # campaigns.looks.CampaignLook; empty: the product's own
    logo = models.JSONField(default=dict, blank=True)  # what its pages say of the Logo: campaigns.dressing.Picture
    wrapped_key = models.BinaryField(max_length=60, editable=False)  # of the texts; destroyed when forgotten
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(stage__in=["draft", "open", "closed"]), name="campaign_stage_is_known"),
            models.CheckConstraint(
                condition=Q(ending__in=["", "won", "ended", "paused", "moved"]), name="campaign_ending_is_known"
            ),
            models.CheckConstraint(
                condition=Q(confirm_within_hours__gte=1, confirm_within_hours__lte=168),
                name="campaign_confirmation_within_a_week",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_open(self) -> bool:
        """Return whether supporters may write and confirm, now."""
        return self.is_open_at(timezone.now())

    def is_open_at(self, now: datetime) -> bool:
        """Return whether supporters may write and confirm: it is open, and the end it was given has not come."""
        return self.stage == self.Stage.OPEN and (self.closes_at is None or now < self.closes_at)


class Logo(models.Model):
    """A campaign's logo, apart from the row that every page reads."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="drawing")
    svg = models.TextField(max_length=8192)  # drawn anew by campaigns.logos, never what was handed in
    digest = models.CharField(max_length=16)  # in its address: another drawing has another

    def __str__(self) -> str:
        return self.digest


class CampaignText(models.Model):
    """What the campaign's page says, in one language."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=12)
    title = models.CharField(max_length=140)  # the ask as a sentence
    summary = models.TextField(max_length=600)  # at most 60 words
    question = models.CharField(max_length=120, default="Why does this matter to you?")
    why_letters_help = models.TextField(max_length=400, blank=True)
    background = models.TextField(max_length=20_000, blank=True)  # Markdown
    share_text = models.CharField(max_length=280, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "language"], name="campaign_text_once")]

    def __str__(self) -> str:
        return self.title


class Ask(models.Model):
    """The letter that a campaign puts to one target list: to whom of it, and what these learn of the writer."""

    class Mode(models.TextChoices):
        FIXED = "fixed", "Everybody on the list"
        SUGGESTED = "suggested", "A few, whom we suggest"
        UP_TO = "up_to", "Those whom the supporter chooses"
        BY_COUNTRY = "by_country", "Those of the supporter's country"

    MOST_TARGETS, MOST_SUGGESTED = 40, 3

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="asks")
    position = models.PositiveSmallIntegerField(default=0)
    slug = models.SlugField(max_length=60)
    target_list = models.ForeignKey(TargetList, on_delete=models.PROTECT, related_name="asks")
    default_language = models.CharField(max_length=12, default="en")
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.FIXED, db_default=Mode.FIXED)
    # Where there is a choice: how many one letter may go to, and how many of them we suggest.
    most_targets = models.PositiveSmallIntegerField(default=5, db_default=5)
    suggested_targets = models.PositiveSmallIntegerField(default=3, db_default=3)
    shows_town = models.BooleanField(default=False)
    shows_email = models.BooleanField(default=False)  # replies go to the supporter
    warns = models.BooleanField(null=True, blank=True)  # as organisers decided; empty: as the kind of the list says

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "slug"], name="ask_slug_once_per_campaign"),
            models.CheckConstraint(
                condition=~Q(slug__in=["draft", "confirm", "letter"]), name="ask_slug_is_not_a_step"
            ),
            models.CheckConstraint(
                condition=Q(mode__in=["fixed", "suggested", "up_to", "by_country"]), name="ask_mode_is_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    suggested_targets__gte=1,
                    suggested_targets__lte=3,
                    most_targets__gte=F("suggested_targets"),
                    most_targets__lte=40,
                ),
                name="ask_suggests_within_its_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def offers_choice(self) -> bool:
        """Return whether a letter goes to some of the list, which its writer may change, and not to all of it."""
        return self.mode != self.Mode.FIXED

    @property
    def is_dangerous(self) -> bool:
        """Return whether writing may endanger the writer: they are warned, and shown the ways without us first."""
        return self.target_list.may_endanger if self.warns is None else self.warns


class AskText(models.Model):
    """What supporters read about an ask, in one language."""

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=12)
    title = models.CharField(max_length=120)
    short = models.CharField(max_length=300, blank=True)  # what these people can do
    talking_points = models.JSONField(default=list, blank=True)  # [{"text": …, "source": …}]
    starters = models.JSONField(default=list, blank=True)  # beginnings of a sentence

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ask", "language"], name="ask_text_once")]

    def __str__(self) -> str:
        return self.title


class LetterTemplate(models.Model):
    """The wording of an ask in one language. A version that a letter uses is never changed: editing adds one."""

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="templates")
    language = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    subject = models.TextField(max_length=2000)
    salutation = models.TextField(max_length=2000)
    body = models.TextField(max_length=40_000)
    closing = models.TextField(max_length=2000)
    used_at = models.DateTimeField(null=True, blank=True)  # when a letter of it was first begun, or shown
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["ask", "language", "version"], name="template_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.ask} ({self.language}, version {self.version})"

    def passages(self) -> dict[str, str]:
        """Return the four passages of the wording, as written in the letter language."""
        return {
            "subject": self.subject,
            "salutation": self.salutation,
            "body": self.body,
            "closing": self.closing,
        }


class Partner(models.Model):
    """An organisation that shows the campaign's form on pages of its own: which may, and how it looks there."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="partners")
    slug = models.SlugField(max_length=34)  # in addresses, and in the source of letters
    name = models.CharField(max_length=120)
    origins = models.JSONField(default=list)  # the sites that may frame it, as browsers write them
    look = models.JSONField(default=dict, blank=True)  # campaigns.looks.Look
    consent_line = models.CharField(max_length=200, blank=True, db_default="")  # in the campaign's default language
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "slug"], name="partner_once_per_campaign")]

    def __str__(self) -> str:
        return self.name
