"""The app's name for Django."""

from django.apps import AppConfig


class TargetsConfig(AppConfig):
    name = "targets"
