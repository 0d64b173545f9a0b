"""A campaign's look at the desk: its colours, the letter's voice, its logo, and both as supporters see them."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import access
from campaigns import dressing, logos, looks
from campaigns.looks import CampaignLook, Colour, Voice
from campaigns.publishing import CampaignRefused
from web.organisers import posted
from web.organisers.campaign_frame import campaign_page, find, note
from web.organisers.desk import Desk, for_members


@dataclass(frozen=True)
class Sample:
    """The colours of a small picture of a campaign's page, in the light or in the dark."""

    words: str
    paper: str
    sheet: str
    ink: str
    accent: str
    on_accent: str
    edges: tuple[str, str]

    @property
    def is_dark(self) -> bool:
        """Return whether it is the one in the dark, where a logo keeps a white ground."""
        return self.paper == looks.DARK_PAPER


@for_members(to_see=access.may_edit_campaigns)
def look_page(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Show how the campaign looks; by POST change it."""
    campaign = find(desk, slug)
    found = dressing.look_of(campaign)
    values = {name: getattr(found, name).wished for name in dressing.COLOURS} | {"voice": str(found.voice)}
    values["is_compact"] = "yes" if campaign.is_compact else ""
    errors, kept_logo = dict[str, str](), ""
    if request.method == "POST":
        values = {name: posted.line(request.POST, name) for name in (*dressing.COLOURS, "voice", "is_compact")}
        content = _logo_in(request)
        without = request.POST.get("without_logo") == "yes"
        try:
            saved = dressing.save(
                campaign=campaign, by=desk.person, values=values, is_compact=values["is_compact"] == "yes",
                logo=content, without_logo=without,
            )  # fmt: skip
        except CampaignRefused as refused:
            errors = refused.errors
            if content and "logo" not in errors:  # no browser fills in a file again
                kept_logo = logos.drawn_anew(content).svg
        else:
            note(request, _said(saved))
            return redirect("organisers:campaign-look", campaign.slug)
    return campaign_page(
        request, desk, campaign, "organisers/campaigns/look.html", tab="overview", status=422 if errors else 200,
        values=values, errors=errors, voices=_voices(), voice=found.voice, samples=_samples(found),
        moved={name: _moved(getattr(found, name)) for name in dressing.COLOURS},
        picture=dressing.logo_of(campaign), kept_logo=kept_logo, usual=CampaignLook(),
    )  # fmt: skip


def _logo_in(request: HttpRequest) -> bytes:
    """Return the file that was chosen, or the one that the form kept while something else was put right."""
    file = request.FILES.get("logo")
    if file is not None and not isinstance(file, list):
        return bytes(file.read(logos.MOST_READ + 1))
    return request.POST.get("kept_logo", "").encode("utf-8", "replace")


def _voices() -> list[tuple[str, str, str]]:
    return [
        (Voice.SERIF, _("As if printed (serif)"), _("The letter differs from the page around it. This is our own.")),
        (Voice.SANS, _("As the rest of the page (sans serif)"), _("Quieter, and less of a letter.")),
    ]


def _said(look: CampaignLook) -> str:
    """Say that it is saved, and which colours were moved."""
    moved = [_moved(colour) for colour in (look.accent, look.edge_1, look.edge_2)]
    return " ".join([_("Saved."), *dict.fromkeys(filter(None, moved))])


def _moved(colour: Colour) -> str:
    """Say what became of a colour that could not be kept everywhere; "" where it could."""
    if colour == Colour(colour.wished, colour.wished, colour.wished) or colour in (
        CampaignLook.accent, CampaignLook.edge_1, CampaignLook.edge_2
    ):  # fmt: skip
        return ""
    names = {"wished": colour.wished, "light": colour.light, "dark": colour.dark}
    if colour.light == colour.wished:
        return _("%(wished)s would be hard to see in the dark: there it is %(dark)s.") % names
    if colour.dark == colour.wished:
        return _("%(wished)s would be hard to see in the light: there it is %(light)s.") % names
    return _("%(wished)s would be hard to see: it is %(light)s in the light and %(dark)s in the dark.") % names


def _samples(look: CampaignLook) -> list[Sample]:
    return [
        Sample(
            _("In the light"), looks.LIGHT_PAPER, looks.SHEET, looks.INK,
            look.accent.light, looks.ON_ACCENT, (look.edge_1.light, look.edge_2.light),
        ),
        Sample(
            _("In the dark"), looks.DARK_PAPER, looks.DARK_SHEET, looks.DARK_INK,
            look.accent.dark, looks.ON_DARK, (look.edge_1.dark, look.edge_2.dark),
        ),
    ]  # fmt: skip
