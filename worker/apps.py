"""The app's name for Django."""

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "worker"
