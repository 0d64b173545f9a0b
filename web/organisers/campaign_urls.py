"""Addresses of the campaigns' pages, below /organise/campaigns/ (names in the namespace `organisers`)."""

from django.urls import path

from web.organisers import asks, campaigns, delivery, launching, look, partners, statistics, telling, troubles, wording

urlpatterns = [
    path("", campaigns.campaign_list, name="campaigns"),
    path("new/", campaigns.new_campaign, name="new-campaign"),
    path("<slug:slug>/", campaigns.overview, name="campaign"),
    path("<slug:slug>/page/", campaigns.edit_page, name="campaign-page"),
    path("<slug:slug>/look/", look.look_page, name="campaign-look"),
    path("<slug:slug>/publish/", launching.publish, name="publish"),
    path("<slug:slug>/pause/", launching.pause, name="pause"),
    path("<slug:slug>/resume/", launching.resume, name="resume"),
    path("<slug:slug>/close/", launching.close, name="close"),
    path("<slug:slug>/tell/", telling.tell, name="tell"),
    path("<slug:slug>/delivery/", delivery.board, name="delivery"),
    path("<slug:slug>/delivery/rows/", delivery.rows, name="delivery-rows"),
    path("<slug:slug>/delivery/ledger.csv", delivery.ledger_csv, name="delivery-csv"),
    path("<slug:slug>/delivery/stop/<str:target_id>/", delivery.stop_target, name="stop-target"),
    path("<slug:slug>/delivery/again/<str:reference>/", delivery.send_again, name="send-again"),
    path("<slug:slug>/delivery/held/<slug:reason>/go/", troubles.let_held_go, name="let-held-go"),
    path("<slug:slug>/delivery/held/<slug:reason>/stop/", troubles.stop_held, name="stop-held"),
    path("<slug:slug>/partners/", partners.partners_page, name="partners"),
    path("<slug:slug>/partners/new/", partners.new_partner, name="new-partner"),
    path("<slug:slug>/partners/<slug:partner_slug>/", partners.edit_partner, name="partner"),
    path("<slug:slug>/partners/<slug:partner_slug>/agreed.csv", partners.agreed_csv, name="partner-agreed-csv"),
    path("<slug:slug>/partners/<slug:partner_slug>/remove/", partners.remove_partner, name="remove-partner"),
    path("<slug:slug>/statistics/", statistics.statistics_page, name="statistics"),
    path("<slug:slug>/statistics/<str:which>.csv", statistics.statistics_csv, name="statistics-csv"),
    path("<slug:slug>/new-letter/", asks.new_ask, name="new-ask"),
    path("<slug:slug>/<slug:ask_slug>/edit/", asks.edit_ask, name="ask"),
    path("<slug:slug>/<slug:ask_slug>/wording/", wording.wording_page, name="wording"),
    path("<slug:slug>/<slug:ask_slug>/wording/<int:version>/", wording.one_version, name="wording-version"),
]
