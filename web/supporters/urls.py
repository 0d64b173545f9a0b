"""Addresses of the supporters' pages. The address is the state: GET shows, POST changes and leads on."""

from django.urls import path

from web.supporters import campaign, confirming, draft, sent, status, to

app_name = "supporters"
urlpatterns = [
    path("letter/<str:token>/", status.status, name="status"),
    path("<slug:lang>/<slug:campaign>/", campaign.campaign_page, name="campaign"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/to/", to.to, name="to"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/write/", draft.write, name="write"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/check/", draft.check, name="check"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/confirm/", confirming.confirm, name="confirm"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/sent/", sent.sent, name="sent"),
    path("<slug:lang>/<slug:campaign>/confirm/<str:token>/", confirming.link, name="link"),
    path("<slug:lang>/<slug:campaign>/<slug:ask>/", campaign.ask_page, name="ask"),
]
