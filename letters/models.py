"""What is written, and what becomes of it. States are written by `letters.lifecycle` alone."""

import secrets

from django.db import models
from django.db.models import F, Q

from campaigns.models import Ask, Campaign, LetterTemplate
from letters import feedback, rights, self_reports, stoppages  # noqa: F401  registered with the app
from targets.models import Address, Target, TargetVersion


def new_key() -> bytes:
    """Return 128 random bits; tokens in URLs are derived from them (letters.tokens)."""
    return secrets.token_bytes(16)


class Supporter(models.Model):
    """A person who writes in one campaign, known by a keyed hash of the address; the rest is encrypted."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="supporters")
    key = models.BinaryField(max_length=16, unique=True, default=new_key)
    address_hash = models.BinaryField(max_length=32)
    sealed = models.BinaryField()  # name, e-mail, town, country
    language = models.CharField(max_length=12)
    proven_at = models.DateTimeField(null=True, blank=True)  # when the address was last confirmed
    wants_news_at = models.DateTimeField(null=True, blank=True)  # "tell me what happens": in force; see rights.Consent
    erased_at = models.DateTimeField(null=True, blank=True)  # the hash is a random one since: nobody is known by it
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "address_hash"], name="supporter_once_per_campaign")]

    def __str__(self) -> str:
        return f"supporter {self.pk}"


class Letter(models.Model):
    """What one supporter wrote for one ask."""

    class Stage(models.TextChoices):
        DRAFT = "draft", "Draft"
        AWAITING = "awaiting_confirmation", "Awaiting confirmation"
        CONFIRMED = "confirmed", "Confirmed"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    key = models.BinaryField(max_length=16, unique=True, default=new_key)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="letters")
    ask = models.ForeignKey(Ask, on_delete=models.PROTECT, related_name="letters")
    template = models.ForeignKey(LetterTemplate, on_delete=models.PROTECT, related_name="letters")
    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, null=True, related_name="letters")
    stage = models.CharField(max_length=21, choices=Stage.choices, default=Stage.DRAFT)
    language = models.CharField(max_length=12)  # of the page; the letter's is its template's
    draw = models.BigIntegerField()  # which variants this letter was given
    sealed = models.BinaryField()  # subject, body, own sentence, name, e-mail, town, country; b"" once forgotten
    own_words = models.PositiveIntegerField(default=0)
    proven = models.BooleanField(default=False)  # begun by somebody who had just confirmed the address
    source = models.CharField(max_length=40, blank=True)  # ?via=
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(null=True)  # as a draft: its writer asked for a link to go on later
    mail_asked_at = models.DateTimeField(null=True)  # when its mail was last asked for, whether or not one left
    remind_at = models.DateTimeField(null=True)  # when its next reminder is due
    confirmed_at = models.DateTimeField(null=True, blank=True)
    passes_replies = models.BooleanField(default=False, db_default=False)  # its writer read that answers are passed on
    ended_at = models.DateTimeField(null=True, blank=True)  # expired or withdrawn

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ask", "supporter"], condition=Q(stage="confirmed"), name="one_letter_per_ask_and_supporter"
            ),
            models.CheckConstraint(
                condition=Q(stage__in=["draft", "awaiting_confirmation", "confirmed", "expired", "withdrawn"]),
                name="letter_stage_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(stage="confirmed") | Q(confirmed_at__isnull=False, supporter__isnull=False),
                name="letter_confirmed_at_and_by",
            ),
        ]
        indexes = [
            # hourly: which drafts and unconfirmed letters have run out
            models.Index(
                fields=["expires_at"], condition=Q(stage__in=["draft", "awaiting_confirmation"]), name="letter_expiry"
            ),
            # reminders: which unconfirmed letters are due for one
            models.Index(fields=["remind_at"], condition=Q(stage="awaiting_confirmation"), name="letter_reminder"),
        ]

    def __str__(self) -> str:
        return f"letter {self.pk} ({self.stage})"


class Delivery(models.Model):
    """One letter's copy to one target. Narrow on purpose: there may be ten million."""

    class State(models.TextChoices):
        HELD = "held", "Held"
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"
        CANCELLED = "cancelled", "Cancelled"

    class Feedback(models.IntegerChoices):
        """What providers and mailboxes told us later; an event sets the maximum of old and new."""

        NONE = 0, "None"
        DEFERRED = 1, "Deferred"
        DELIVERED = 2, "Delivered"
        BOUNCED = 3, "Bounced"
        COMPLAINED = 4, "Complained"

    letter = models.ForeignKey(Letter, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    ask = models.ForeignKey(Ask, on_delete=models.PROTECT, related_name="+", db_index=False)
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    version = models.ForeignKey(TargetVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    address = models.ForeignKey(Address, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    feedback = models.PositiveSmallIntegerField(choices=Feedback.choices, default=Feedback.NONE)
    reason = models.CharField(max_length=40, blank=True)  # why it is held, failed, cancelled or tried again
    attempts = models.PositiveSmallIntegerField(default=0)
    ambiguous = models.PositiveSmallIntegerField(default=0)  # endings nobody can know: A of the guarantee
    sent_again = models.PositiveSmallIntegerField(default=0)  # decided by a person; at most once
    due_at = models.DateTimeField(null=True)  # empty while it waits for its mailbox's pace
    # The try for which the release let it go: a mailbox with a pace is tried for the n-th time only where this is n.
    released_for = models.PositiveSmallIntegerField(default=0, db_default=0)
    first_tried_at = models.DateTimeField(null=True)
    rested_for = models.PositiveIntegerField(default=0, db_default=0)  # seconds on hold since then: they do not count
    message_date = models.DateTimeField(null=True)  # the Date header: fixed at the first claim
    token = models.CharField(max_length=32, blank=True)  # of the claim that holds it; no two claims share one
    lease_until = models.DateTimeField(null=True)
    dot_at = models.DateTimeField(null=True)  # the fence: from here on a copy may have been taken
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the bytes, hex, from the first fence on
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["letter", "target"], name="one_delivery_per_letter_and_target"),
            models.CheckConstraint(
                condition=Q(state__in=["held", "queued", "sending", "sent", "failed", "uncertain", "cancelled"]),
                name="delivery_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False), name="sent_means_handed_over_at"
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | (Q(lease_until__isnull=False) & ~Q(token="")),
                name="sending_means_leased",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "failed", "cancelled"]) | Q(ended_at__isnull=False),
                name="ended_means_ended_at",
            ),
        ]
        indexes = [
            # claim: what is due, oldest first
            models.Index(
                fields=["due_at", "id"], condition=Q(state="queued", due_at__isnull=False), name="delivery_due"
            ),
            # release: the oldest of each mailbox and campaign that wait for the mailbox's pace, untried and tried
            models.Index(
                fields=["address", "campaign", "id"],
                condition=Q(state="queued", due_at__isnull=True, attempts=0),
                name="delivery_unpaced_untried",
            ),
            models.Index(
                fields=["address", "campaign", "id"],
                condition=Q(state="queued", due_at__isnull=True, attempts__gt=0),
                name="delivery_unpaced_tried",
            ),
            # release: what was let go to a mailbox with a pace, and its retries
            models.Index(
                fields=["address"],
                condition=Q(state="queued", due_at__isnull=False, released_for__gt=0),
                name="delivery_released",
            ),
            # what is due to a mailbox that has a pace by now, is suppressed or dead, or whose domain rests
            models.Index(
                fields=["address"], condition=Q(state="queued", due_at__isnull=False), name="delivery_due_of_mailbox"
            ),
            # resume: retries of a campaign, whose rest does not count
            models.Index(fields=["campaign"], condition=Q(state="queued", attempts__gt=0), name="delivery_retried"),
            # reap: leases that ran out
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="delivery_leased"),
            # the ledger's rows in need of a person
            models.Index(
                fields=["campaign", "state", "id"],
                condition=Q(state__in=["held", "failed", "uncertain"]),
                name="delivery_needs_somebody",
            ),
            # what is held, by reason; and what is held of addresses that must not be written to any more
            models.Index(fields=["campaign", "reason"], condition=Q(state="held"), name="delivery_held"),
            # one target's page, and waiting deliveries of a target that moves or is suppressed
            models.Index(fields=["target", "id"], name="delivery_of_target"),
            # tracking: what was reported while its attempt went on
            models.Index(
                fields=["id"],
                condition=Q(state__in=["held", "queued", "uncertain"], feedback__gte=2),
                name="delivery_proved",
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk} ({self.state})"


class DeliveryEvent(models.Model):
    """One line of a delivery's history: append-only, written with each move."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    from_state = models.CharField(max_length=9)
    to_state = models.CharField(max_length=9)
    reason = models.CharField(max_length=40, blank=True)
    code = models.PositiveSmallIntegerField(null=True)  # the server's reply code
    words = models.CharField(max_length=300, blank=True)  # the server's words, cut; or the reason a person gave
    token = models.CharField(max_length=32, blank=True)  # the claim that wrote it
    by = models.CharField(max_length=120, blank=True)  # who decided, where a person did

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(from_state=F("to_state")), name="event_is_a_move")]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class ProviderName(models.Model):
    """What a provider called a delivery when it took it: some report events under that name alone."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="provider_names")
    name = models.CharField(max_length=255)

    class Meta:
        # tracking: whose event is this?
        indexes = [models.Index(fields=["name"], name="delivery_by_provider_name")]

    def __str__(self) -> str:
        return self.name


class AttemptAt(models.Model):
    """When a mailbox was written to; kept a day, for its pace across all campaigns."""

    address = models.ForeignKey(Address, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        # release: how many this mailbox was written in the last hour and day
        indexes = [models.Index(fields=["address", "at"], name="attempts_of_mailbox")]

    def __str__(self) -> str:
        return f"{self.address_id} at {self.at}"


class DeliveryTally(models.Model):
    """How many deliveries stand where: kept by `lifecycle` with each move, summed over the shards."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="+", db_index=False)
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=9)
    tried = models.BooleanField()
    feedback = models.PositiveSmallIntegerField()
    shard = models.PositiveSmallIntegerField()  # so that processes do not wait for each other's rows
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "ask", "target", "state", "tried", "feedback", "shard"], name="delivery_tally_cell"
            )
        ]
        # what waits at a mailbox, whoever writes to it: how much room there is for a suggestion
        indexes = [models.Index(fields=["target"], condition=Q(state="queued"), name="delivery_tally_waiting")]

    def __str__(self) -> str:
        return f"{self.count} {self.state}"


class HourTally(models.Model):
    """What happened in each hour of a campaign: letters by own words, deliveries by outcome."""

    class Measure(models.TextChoices):
        OWN_0 = "own_0", "Letters without own words"
        OWN_1 = "own_1", "Letters with 1 to 9 own words"
        OWN_10 = "own_10", "Letters with 10 to 29 own words"
        OWN_30 = "own_30", "Letters with 30 or more own words"
        SENT = "sent", "Deliveries accepted"
        FAILED = "failed", "Deliveries returned"
        UNCERTAIN = "uncertain", "Deliveries unclear"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    measure = models.CharField(max_length=10, choices=Measure.choices)
    shard = models.PositiveSmallIntegerField()
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "ask", "hour", "measure", "shard"], name="hour_tally_cell")
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.measure} at {self.hour}"


class Notice(models.Model):
    """One mail to a supporter: a confirmation, an answer, a link to what is kept, what was asked to be told."""

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation", "Confirmation"
        REMINDER = "reminder", "Reminder"  # another confirmation, with a link and a code of its own
        LATER = "later", "Continue later"  # the link to a draft
        REPLY = "reply", "Reply"
        MY_DATA = "my_data", "My data"
        ALREADY = "already", "Already written"  # sent in place of a confirmation; its letter is the one confirmed then
        COPY = "copy", "Copy"  # of a letter that was confirmed, to its writer
        ONCE = "once", "Tell me once"  # asks for proof of such a wish
        TOLD = "told", "Told once"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="notices")
    letter = models.ForeignKey(Letter, on_delete=models.CASCADE, null=True, related_name="notices")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    reply = models.ForeignKey(feedback.Reply, on_delete=models.CASCADE, null=True, related_name="notices")
    telling = models.ForeignKey(rights.Telling, on_delete=models.CASCADE, null=True, related_name="notices")
    language = models.CharField(max_length=12, blank=True, db_default="")
    sealed = models.BinaryField(default=b"", db_default=b"")  # the address, where it is kept nowhere else, until sent
    key = models.BinaryField(max_length=16, unique=True, default=new_key)  # its link and code are derived from it
    code_tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)  # a link and a code confirm once
    address_hash = models.BinaryField(max_length=32)
    state = models.CharField(max_length=7, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    came_back_at = models.DateTimeField(null=True)  # refused by a mail server, at once or later

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending", "sent", "failed"]), name="notice_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["my_data", "once", "told"]) | Q(letter__isnull=False),
                name="notice_about_a_letter",
            ),
            models.UniqueConstraint(fields=["letter"], condition=Q(kind="copy"), name="one_copy_per_letter"),
        ]
        indexes = [
            # how many confirmations went to this address today
            models.Index(fields=["address_hash", "created_at"], name="notices_to_address"),
            # claim: what is due
            models.Index(fields=["due_at"], condition=Q(state__in=["queued", "sending"]), name="notice_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class Instance(models.Model):
    """Which installation this database belongs to, and how far it has come: one row (letters.instance)."""

    class Because(models.TextChoices):
        RESTORED = "restored", "Restored"
        COPIED = "copied", "Copied"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    identity = models.CharField(max_length=32)  # 128 random bits, hex
    epoch = models.BigIntegerField(default=0)  # rises while anything is sent: a backup's is behind
    advanced_at = models.DateTimeField(null=True)
    body = models.CharField(max_length=80, blank=True)  # what a dump loaded elsewhere does not have: see instance.body
    on_hold_since = models.DateTimeField(null=True)  # nothing leaves until a person has decided
    on_hold_because = models.CharField(max_length=8, choices=Because.choices, blank=True)
    held_up_to = models.BigIntegerField(default=0)  # the last delivery there was when the hold began
    set_aside_at = models.DateTimeField(null=True)  # when all of those had been set aside
    refused_at = models.DateTimeField(null=True)  # when a host last refused to send, though others may
    refused_because = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_instance")]

    def __str__(self) -> str:
        return f"instance {self.identity}, epoch {self.epoch}"
