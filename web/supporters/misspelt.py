"""An address that is one slip of the hand away from a well-known host: its writer is asked, never corrected."""

from rapidfuzz.distance import OSA

from web.supporters import webmail

HOSTS = webmail.HOSTS
# Real ones that are but a letter away from another.
_ALSO_REAL = {"mail.com", "email.com", "cloud.com", "email.ru", "gmail.ru", "mail.de", "live.de", "live.nl"}
_SHORT = 3  # letters: with one of them changed, such a name is mostly somebody else's


def meant(email: str) -> str:
    """Return the address that was probably meant; empty where nothing, or more than one thing, suggests itself."""
    person, _at, typed = email.rpartition("@")
    typed = typed.lower()
    if not person or typed in HOSTS or typed in _ALSO_REAL:
        return ""
    near = [host for host in HOSTS if _is_slip(typed, host)]
    return f"{person}@{near[0]}" if len(near) == 1 else ""


def _is_slip(typed: str, host: str) -> bool:
    """Return whether one letter is changed, missing, too many, or in its neighbour's place."""
    if OSA.distance(typed, host, score_cutoff=1) != 1:
        return False
    name, _dot, country = typed.partition(".")
    known, _dot, its_country = host.partition(".")
    if name == known:
        return not len(country) == len(its_country) == 2  # the same house in another country
    return len(known) > _SHORT or set(name) == set(known)
