"""Addresses of the hooks: /hooks/<provider>/tracking/ and /hooks/<provider>/inbound/."""

from django.urls import path

from web.hooks import views

urlpatterns = [path("<slug:esp>/<slug:what>/", views.hook, name="hook")]
