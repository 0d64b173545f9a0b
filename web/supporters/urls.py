"""Addresses of the supporters' pages. The address is the state: GET shows, POST changes and leads on."""

from django.urls import path

from web.supporters import campaign, confirming, draft, logo, my, once, own_mail, paper, photos, sent, status, to

app_name = "supporters"
urlpatterns = [
    path("letter/<str:token>/", status.status, name="status"),
    path("letter/<str:token>/print/", paper.print_page_of_status, name="status-print"),
    path("letter/<str:token>/print/letters.pdf", paper.print_pdf_of_status, name="status-print-pdf"),
    path("photo/<slug:digest>/", photos.photo, name="photo"),
    path("my/", my.my, name="my"),
    path("my/open/<str:token>/", my.open_link, name="my-open"),
    path("my/stop/<str:token>/", my.stop, name="my-stop"),
    path("my/see/<str:token>/", my.see, name="my-see"),
    path("my/see/<str:token>/download/", my.download, name="my-download"),
    path("my/see/<str:token>/delete/", my.delete, name="my-delete"),
    path("look/<slug:campaign>/<slug:digest>.svg", logo.logo, name="logo"),
    path("<slug:lang>/<slug:campaign>/", campaign.campaign_page, name="campaign"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/to/", to.to, name="to"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/write/", draft.write, name="write"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/check/", draft.check, name="check"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/confirm/", confirming.confirm, name="confirm"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/sent/", sent.sent, name="sent"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/print/", paper.print_page, name="print"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/print/letters.pdf", paper.print_pdf, name="print-pdf"),
    path("<slug:lang>/<slug:campaign>/draft/<str:token>/own-mail/", own_mail.own_mail_page, name="own-mail"),
    path("<slug:lang>/<slug:campaign>/confirm/<str:token>/", confirming.link, name="link"),
    path("<slug:lang>/<slug:campaign>/once/", once.once, name="once"),
    path("<slug:lang>/<slug:campaign>/once/<str:token>/", once.link, name="once-link"),
    path("<slug:lang>/<slug:campaign>/<slug:ask>/", campaign.ask_page, name="ask"),
]
