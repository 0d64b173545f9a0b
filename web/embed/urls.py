"""Addresses of the form on partners' pages, and of the small script that makes room for it there."""

from django.urls import path

from web.embed import views

app_name = "embed"
urlpatterns = [
    path("postbag.js", views.loader, name="loader"),
    path("<slug:campaign>/", views.frame, name="frame"),
    path("<slug:campaign>/<slug:ask>/", views.begin, name="begin"),
]
