"""The app's name for Django."""

from django.apps import AppConfig


class LettersConfig(AppConfig):
    name = "letters"
