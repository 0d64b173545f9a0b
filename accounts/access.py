"""Who may do what: one function per question."""

from accounts.models import Member, Organisation, Role, User

_WRITERS = {Role.OWNER, Role.EDITOR}
_SENDERS = {Role.OWNER, Role.SENDER}
_LETTER_READERS = {Role.OWNER, Role.REPLIES}
_READERS = {Role.OWNER, Role.EDITOR, Role.TRANSLATOR, Role.SENDER, Role.REPLIES, Role.ANALYST}


def membership(user: User, organisation: Organisation) -> Member | None:
    """Return the person's membership, looked up afresh: a role taken away counts at the next request."""
    return Member.objects.filter(user=user, organisation=organisation).first()


def organisations_of(user: User) -> list[Organisation]:
    """Return the organisations a person belongs to, oldest membership first."""
    return [m.organisation for m in user.memberships.select_related("organisation").order_by("since", "id")]


def _role(user: User, organisation: Organisation) -> str:
    member = membership(user, organisation)
    return member.role if member else ""


def may_read(user: User, organisation: Organisation) -> bool:
    """May this person see campaigns, lists and numbers (without personal data of supporters)?"""
    return _role(user, organisation) in _READERS


def may_read_letters(user: User, organisation: Organisation) -> bool:
    """May this person read what supporters wrote, and who they are?"""
    return _role(user, organisation) in _LETTER_READERS


def may_edit_targets(user: User, organisation: Organisation) -> bool:
    """May this person change lists and targets?"""
    return _role(user, organisation) in _WRITERS


def may_edit_campaigns(user: User, organisation: Organisation) -> bool:
    """May this person change campaigns, asks and wording?"""
    return _role(user, organisation) in _WRITERS


def may_edit_wording(user: User, organisation: Organisation) -> bool:
    """May this person change the wording of letters?"""
    return _role(user, organisation) in _WRITERS | {Role.TRANSLATOR}


def may_send(user: User, organisation: Organisation) -> bool:
    """May this person publish, pause, resume and close?"""
    return _role(user, organisation) in _SENDERS


def may_edit_organisation(user: User, organisation: Organisation) -> bool:
    """May this person change what supporters read of the organisation?"""
    return _role(user, organisation) == Role.OWNER
