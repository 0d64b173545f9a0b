"""Addresses of the organisers' pages, below /organise/. Signing in is allauth's and included beside this."""

from django.urls import include, path

from web.organisers import dashboard, excluding, handing_over, imports, organisation, photos, targets

app_name = "organisers"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("settings/", organisation.settings, name="settings"),
    path("organisation/", dashboard.choose_organisation, name="organisation"),
    path("campaigns/", include("web.organisers.campaign_urls")),
    path("targets/", targets.lists_page, name="targets"),
    path("targets/new/", targets.new_list, name="new-list"),
    path("targets/<str:list_id>/", targets.one_list, name="list"),
    path("targets/<str:list_id>/export/", targets.export, name="list-csv"),
    path("targets/<str:list_id>/add/", targets.add_target, name="add-target"),
    path("targets/<str:list_id>/import/", imports.upload, name="import"),
    path("targets/<str:list_id>/import/<str:file_id>/match/", imports.match, name="import-match"),
    path("targets/<str:list_id>/import/<str:file_id>/check/", imports.check, name="import-check"),
    path("targets/<str:list_id>/import/<str:file_id>/rejected/", imports.rejected, name="import-rejected"),
    path("targets/<str:list_id>/import/<str:file_id>/done/", imports.done, name="import-done"),
    path("targets/<str:list_id>/<str:target_id>/", targets.edit_target, name="target"),
    path("targets/<str:list_id>/<str:target_id>/retire/", targets.retire, name="retire-target"),
    path("targets/<str:list_id>/<str:target_id>/leave-out/", excluding.leave_out, name="leave-out"),
    path("targets/<str:list_id>/<str:target_id>/offer-again/", excluding.offer_again, name="offer-again"),
    path("targets/<str:list_id>/<str:target_id>/photo/", photos.photo, name="photo"),
    path("targets/<str:list_id>/<str:target_id>/photo/remove/", photos.remove, name="remove-photo"),
    path("targets/<str:list_id>/<str:target_id>/letters/", handing_over.letters_on_paper, name="letters-on-paper"),
    path("targets/<str:list_id>/<str:target_id>/restore/", targets.restore, name="restore-target"),
]
