"""The wording of an ask at the desk: writing it, trying it on real targets, saving it as a version."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import access
from campaigns import publishing
from campaigns.models import Ask, Campaign, LetterTemplate
from campaigns.wording import Finding
from targets import lists
from targets.models import Target
from web.organisers import posted
from web.organisers.campaign_frame import campaign_page, find, find_ask, letters_in_words, note
from web.organisers.desk import Desk, for_members
from web.organisers.letter_preview import DRAWS, PASSAGES, offered, preview, riskiest

RISKS = {
    "no_salutation": gettext_lazy("no salutation"),
    "script": gettext_lazy("another script"),
    "no_given_name": gettext_lazy("no given name"),
    "no_title": gettext_lazy("no title"),
    "long_name": gettext_lazy("the longest name"),
}
PASSAGE_WORDS = {
    "subject": gettext_lazy("Subject"),
    "salutation": gettext_lazy("Salutation"),
    "body": gettext_lazy("Body"),
    "closing": gettext_lazy("Closing"),
}
EXAMPLES = (
    (gettext_lazy("A value"), "{{ target.name }}"),
    (gettext_lazy("A value that may be empty"), "{{ target.salutation|default('Dear Sir or Madam') }}"),
    (
        gettext_lazy("Only where there is one"),
        "{% if target.title %}{{ target.title }}{% endif %}",
    ),
    (
        gettext_lazy("Another wording"),
        "{% variant %}Please speak up.{% or %}We ask you to speak.{% endvariant %}",
    ),
)


@for_members(to_change=access.may_edit_wording)
def wording_page(request: HttpRequest, desk: Desk, slug: str, ask_slug: str) -> HttpResponse:
    """Show and try a wording; the button "save" alone saves it. A refused one comes back as it was typed."""
    campaign, ask = _found(desk, slug, ask_slug)
    form = request.POST if request.method == "POST" else request.GET
    passages = _passages(request.POST) if request.method == "POST" else _kept(ask, form)
    findings: list[Finding] | None = None
    if "save" in request.POST:
        template, findings = publishing.save_template(
            ask=ask, by=desk.person, language=ask.default_language, passages=passages
        )
        if template is not None:
            note(request, _saved_words(template, findings))
            return redirect("organisers:wording", campaign.slug, ask.slug)
    shown = _shown(ask, passages, form, findings)
    if "fragment" in request.POST:
        return render(request, "organisers/wording/preview.html", shown)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/wording/edit.html",
        tab="overview",
        status=422 if findings is not None else 200,
        errors=_errors(findings or []),
        **shown,
    )


@for_members()
def one_version(request: HttpRequest, desk: Desk, slug: str, ask_slug: str, version: int) -> HttpResponse:
    """Show one version of a wording, as it was saved."""
    campaign, ask = _found(desk, slug, ask_slug)
    template = get_object_or_404(ask.templates, language=ask.default_language, version=version)
    newest = publishing.current_template(ask)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/wording/version.html",
        tab="overview",
        ask=ask,
        ask_title=publishing.title_of(ask),
        saved=template,
        newest=newest,
        passage_words=PASSAGE_WORDS,
        used_by=letters_in_words(template.letters.count()),
    )


def _found(desk: Desk, slug: str, ask_slug: str) -> tuple[Campaign, Ask]:
    campaign = find(desk, slug)
    ask = find_ask(campaign, ask_slug)
    if ask is None:
        raise Http404
    return campaign, ask


def _passages(form: QueryDict) -> dict[str, str]:
    return {
        name: form.get(name, "").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
        for name in PASSAGES
    }


def _kept(ask: Ask, form: QueryDict) -> dict[str, str]:
    """Return the newest wording, or the version that the address names, to begin from."""
    version = posted.whole(form, "version")
    older = ask.templates.filter(language=ask.default_language, version=version).first() if version else None
    template = older or publishing.current_template(ask)
    return template.passages() if template else dict.fromkeys(PASSAGES, "")


def _shown(
    ask: Ask, passages: dict[str, str], form: QueryDict, findings: list[Finding] | None
) -> dict[str, Any]:
    targets = list(lists.active_targets(ask.target_list))
    risky = riskiest(targets)
    target = _target(form, targets, risky)
    draw = (posted.whole(form, "draw", most=DRAWS, otherwise=1) + ("another" in form)) % DRAWS
    told = publishing.lint(ask, passages) if findings is None else findings
    blank = not any(text.strip() for text in passages.values())
    return {
        "ask": ask,
        "ask_title": publishing.title_of(ask),
        "passages": passages,
        "passage_words": PASSAGE_WORDS,
        "targets": targets,
        "risky": [(each, RISKS[why]) for each, why in risky],
        "preview": preview(ask, passages, target, draw=draw),
        "draw": draw,
        "blank": blank,
        "wrong": [] if blank and findings is None else [one for one in told if one.severity == "error"],
        "remarks": [] if blank else [one for one in told if one.severity == "warning"],
        "offered": offered(ask, targets, target),
        "examples": EXAMPLES,
        **_versions(ask),
    }


def _versions(ask: Ask) -> dict[str, Any]:
    versions = list(ask.templates.filter(language=ask.default_language).select_related("created_by"))
    newest = versions[0] if versions else None
    return {
        "versions": versions,
        "newest": newest,
        "used_by": letters_in_words(newest.letters.count()) if newest and newest.used_at else "",
    }


def _target(form: QueryDict, targets: Sequence[Target], risky: Sequence[tuple[Target, str]]) -> Target | None:
    wanted = form.get("look") or form.get("target")
    chosen = next((target for target in targets if target.public_id == wanted), None)
    return chosen or (risky[0][0] if risky else None)


def _errors(findings: Sequence[Finding]) -> dict[str, str]:
    """Return the first error of each passage, for the summary and the field."""
    errors: dict[str, str] = {}
    for one in findings:
        if one.severity == "error":
            errors.setdefault(one.passage, f"{PASSAGE_WORDS[one.passage]}, {_said(one)}")
    return errors


def _said(one: Finding) -> str:
    return _("line %(line)d: %(why)s %(cure)s") % {"line": one.line, "why": one.why, "cure": one.cure}


def _saved_words(template: LetterTemplate, findings: Sequence[Finding]) -> str:
    saved = _("Saved as version %(version)d. New letters begin with it.") % {"version": template.version}
    if not findings:
        return saved
    remarks = ngettext("%(n)d remark is worth a look.", "%(n)d remarks are worth a look.", len(findings))
    return f"{saved} {remarks % {'n': len(findings)}}"
