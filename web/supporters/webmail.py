"""Where people read their mail in a browser, by the host of their address: plain links; nothing is loaded."""

_GOOGLE = ("Gmail", "https://mail.google.com/")
_MICROSOFT = ("Outlook", "https://outlook.live.com/mail/")
_YAHOO = ("Yahoo Mail", "https://mail.yahoo.com/")
_APPLE = ("iCloud Mail", "https://www.icloud.com/mail/")
_PROTON = ("Proton Mail", "https://mail.proton.me/")
_YANDEX = ("Yandex Mail", "https://mail.yandex.com/")
_MAIL_RU = ("Mail.ru", "https://e.mail.ru/")
_BY_HOST = {
    "gmail.com": _GOOGLE, "googlemail.com": _GOOGLE,
    "outlook.com": _MICROSOFT, "outlook.de": _MICROSOFT, "outlook.fr": _MICROSOFT, "outlook.es": _MICROSOFT,
    "hotmail.com": _MICROSOFT, "hotmail.co.uk": _MICROSOFT, "hotmail.de": _MICROSOFT, "hotmail.fr": _MICROSOFT,
    "hotmail.es": _MICROSOFT, "live.com": _MICROSOFT, "live.co.uk": _MICROSOFT, "live.fr": _MICROSOFT,
    "msn.com": _MICROSOFT,
    "yahoo.com": _YAHOO, "yahoo.co.uk": _YAHOO, "yahoo.de": _YAHOO, "yahoo.fr": _YAHOO, "yahoo.es": _YAHOO,
    "ymail.com": _YAHOO,
    "icloud.com": _APPLE, "me.com": _APPLE, "mac.com": _APPLE,
    "proton.me": _PROTON, "protonmail.com": _PROTON, "pm.me": _PROTON,
    "aol.com": ("AOL Mail", "https://mail.aol.com/"),
    "fastmail.com": ("Fastmail", "https://app.fastmail.com/"),
    "posteo.de": ("Posteo", "https://posteo.de/en"),
    "mailbox.org": ("mailbox.org", "https://login.mailbox.org/"),
    "tuta.com": ("Tuta", "https://app.tuta.com/"), "tutanota.com": ("Tuta", "https://app.tuta.com/"),
    "gmx.de": ("GMX", "https://www.gmx.net/"), "gmx.net": ("GMX", "https://www.gmx.net/"),
    "gmx.at": ("GMX", "https://www.gmx.at/"), "gmx.ch": ("GMX", "https://www.gmx.ch/"),
    "gmx.com": ("GMX", "https://www.gmx.com/"), "web.de": ("WEB.DE", "https://web.de/"),
    "t-online.de": ("Telekom", "https://email.t-online.de/"),
    "orange.fr": ("Orange", "https://mail.orange.fr/"), "laposte.net": ("La Poste", "https://www.laposte.net/"),
    "free.fr": ("Free", "https://webmail.free.fr/"),
    "libero.it": ("Libero", "https://www.libero.it/"), "seznam.cz": ("Seznam", "https://email.seznam.cz/"),
    "wp.pl": ("WP", "https://poczta.wp.pl/"), "onet.pl": ("Onet", "https://poczta.onet.pl/"),
    "yandex.ru": _YANDEX, "yandex.com": _YANDEX, "ya.ru": _YANDEX, "yandex.kz": _YANDEX,
    "mail.ru": _MAIL_RU, "bk.ru": _MAIL_RU, "inbox.ru": _MAIL_RU, "list.ru": _MAIL_RU,
    "mail.kz": ("Mail.kz", "https://mail.kz/"),
}  # fmt: skip
HOSTS = frozenset(_BY_HOST)


def webmail_of(email: str) -> tuple[str, str] | None:
    """Return name and address of the web pages where mail to this address is read; None where we do not know."""
    return _BY_HOST.get(email.rpartition("@")[2].lower())
