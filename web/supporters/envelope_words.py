"""The window envelopes that letters are printed for, in words."""

from django.utils.translation import gettext as _

from letters.envelopes import LAYOUTS


def envelope_choices() -> list[tuple[str, str, str]]:
    """Return (key, where it is usual, paper and window) of each layout, the most usual first."""
    usual = {
        "left": _("Germany, Austria and most countries: window on the left"),
        "left-low": _("United Kingdom and Ireland: low window on the left"),
        "right": _("France, Belgium, Switzerland, Italy and Spain: window on the right"),
        "number-10": _("United States and Canada: #10 with a window on the left"),
    }
    return [(key, usual[key], _measures(key)) for key in LAYOUTS]


def _measures(key: str) -> str:
    layout = LAYOUTS[key]
    case = layout.envelope
    right = case.width - case.window_left - case.window_width
    values = {
        "paper": "US Letter" if layout.width > 210 else "A4",
        "size": f"{case.width:g} × {case.height:g}", "window": f"{case.window_width:g} × {case.window_height:g}",
        "bottom": f"{case.window_bottom:g}", "side": f"{min(case.window_left, right):g}",
    }  # fmt: skip
    if right < case.window_left:
        return _(
            "Paper %(paper)s, envelope %(size)s mm, window %(window)s mm, %(side)s mm from the right edge and "
            "%(bottom)s mm from the lower one."
        ) % values  # fmt: skip
    return _(
        "Paper %(paper)s, envelope %(size)s mm, window %(window)s mm, %(side)s mm from the left edge and "
        "%(bottom)s mm from the lower one."
    ) % values
