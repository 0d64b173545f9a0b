"""The app's name for Django."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "web"
