"""Telling of our own defects without telling what people wrote."""

import logging
import traceback


def tell(log: logging.Logger, what: str, error: Exception) -> None:
    """Log a defect by its kind and its place: an exception's words might hold an address or a piece of a letter."""
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s: %s\n%s", what, type(error).__name__, places)
