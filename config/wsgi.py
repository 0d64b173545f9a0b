"""The web process's entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.umask(0o077)  # databases and what is kept for a while are for this user alone
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from config import checks  # noqa: E402  needs what the line above prepares
from letters import arrivals  # noqa: E402

checks.refuse_unproved_hooks()
arrivals.keep_up()
