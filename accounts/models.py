"""Who organises: organisations, the people in them, and what they did."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from accounts.identifiers import new_public_id


class UserManager(BaseUserManager["User"]):
    """Makes people who sign in; they are known by their e-mail address alone."""

    def create_user(self, email: str, password: str | None = None, **more: Any) -> "User":
        """Make a person who may sign in; without a password only a passkey or a reset lets them in."""
        user = self.model(email=self.normalize_email(email), **more)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **more: Any) -> "User":
        """Make an operator of the installation."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **more)


class User(AbstractUser):
    """A person who signs in to organise. Supporters have no account."""

    username = None  # type: ignore[assignment]  # the e-mail address takes its place
    email = models.EmailField(unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_whatever_the_case")]

    def __str__(self) -> str:
        return self.get_full_name() or self.email


class Organisation(models.Model):
    """A team that campaigns."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=120)
    help_at = models.CharField(max_length=200, blank=True, default="", db_default="")  # for supporters: e-mail or page
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do; `accounts.access` holds the questions."""

    OWNER = "owner", "Owner"
    EDITOR = "editor", "Editor"
    TRANSLATOR = "translator", "Translator"
    SENDER = "sender", "Sender"
    REPLIES = "replies", "Replies"
    ANALYST = "analyst", "Analyst"
    PARTNER = "partner", "Partner"


class Member(models.Model):
    """A person in an organisation, with a role."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "user"], name="member_once_per_organisation"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()}, {self.organisation})"


class AuditEntry(models.Model):
    """One deed of a member: append-only, without personal data of supporters."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="audit_entries")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    deed = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    details = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "-at"], name="audit_newest_first")]  # the audit page

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.by}: {self.deed} {self.subject}"
