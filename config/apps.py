"""Puts the parts together when Django is ready."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Connect the one signal."""
        from config import checks, wiring  # noqa: F401, PLC0415  models must be loaded first

        wiring.connect()
