"""The pages as gunicorn serves them, with Amazon's certificate at hand: nothing outside this machine is asked."""

import os
from pathlib import Path

from config.wsgi import application
from web.hooks import sns

__all__ = ["application"]


def _fetch(address: str) -> bytes:
    return Path(os.environ["SNS_CERTIFICATE"]).read_bytes()


sns.fetch = _fetch
