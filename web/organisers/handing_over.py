"""The page from which letters to one target are printed, to hand them over in person."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import access
from campaigns import publishing
from letters import envelopes, handing_over, paper, press
from letters.handing_over import Pile
from targets.models import ListEntry, Target
from web.organisers import posted
from web.organisers.desk import Desk, for_members, page

PAPERS = (("left", "A4"), ("number-10", "US Letter"))


@for_members(to_see=access.may_read_letters)
def letters_on_paper(request: HttpRequest, desk: Desk, list_id: str, target_id: str) -> HttpResponse:
    """Show which letters to a target can be printed; POST gives them as a PDF and writes down who asked."""
    rows = ListEntry.objects.select_related("target__version", "target__post", "target__organisation", "target_list")
    entry = get_object_or_404(rows.filter(target_list=desk.target_list(list_id)), target__public_id=target_id)
    piles = handing_over.piles(entry.target)
    if request.method != "POST":
        return _shown(request, desk, entry, piles)
    pile = next((pile for pile in piles if str(pile.ask.pk) == request.POST.get("ask")), None)
    if pile is None:
        return _shown(request, desk, entry, piles, error=_("Choose the letters to print."))
    part = posted.whole(request.POST, "part", least=1, otherwise=1)
    try:
        made = handing_over.print_pile(
            target=entry.target, ask=pile.ask, by=desk.person, layout=envelopes.LAYOUTS[_paper(request)],
            only_returned=request.POST.get("which") == "returned", part=part,
        )  # fmt: skip
    except press.NotPrinted:
        return _shown(request, desk, entry, piles, error=_("The PDF could not be made now. Try again."), status=503)
    if made is None:
        return _shown(request, desk, entry, piles, error=_("There is no such letter to print."))
    return _pdf(made, entry.target, pile)


def _pdf(made: bytes, target: Target, pile: Pile) -> HttpResponse:
    answer = HttpResponse(made, content_type="application/pdf")
    name = slugify(f"{pile.ask.slug} {target.name}") or "letters"
    answer["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return answer


def _paper(request: HttpRequest) -> str:
    chosen = request.POST.get("paper", "")
    return chosen if chosen in dict(PAPERS) else PAPERS[0][0]


def _shown(
    request: HttpRequest, desk: Desk, entry: ListEntry, piles: list[Pile], *, error: str = "", status: int = 422
) -> HttpResponse:
    named = [
        (pile, publishing.page_text(pile.ask.campaign).title, publishing.title_of(pile.ask)) for pile in piles
    ]
    return page(
        request, desk, "organisers/targets/letters.html", section="targets", entry=entry, piles=named,
        papers=PAPERS, values=request.POST, most=paper.MOST_SHEETS,
        most_parts=max([pile.parts for pile in piles], default=0), lacks_typefaces=paper.lacks_typefaces(),
        errors={"ask": error} if error else {}, status=status if error else 200,
    )  # fmt: skip
