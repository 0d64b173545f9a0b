"""The one signal of the letters: something waits for the worker. `config.wiring` connects it to the queue."""

from django.dispatch import Signal

something_waits = Signal()  # sent after the commit; a lost ring costs one sweep, never a letter
