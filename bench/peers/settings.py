"""Django's settings for the peers that need it. What differs from run to run comes from the environment."""

import json
import os
from urllib.parse import urlsplit

_DATABASE = urlsplit(os.environ["BENCH_DATABASE"])
OPTIONS = json.loads(os.environ.get("BENCH_OPTIONS", "{}"))  # a peer's own settings; `bench.tuning` tries several

SECRET_KEY = "only for measuring, on this machine alone"  # noqa: S105
INSTALLED_APPS = ["django.contrib.contenttypes", "bench.peers.letterbox", "post_office", "mailer", "django_rq"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _DATABASE.path.lstrip("/"),
        "USER": _DATABASE.username,
        "PASSWORD": _DATABASE.password,
        "HOST": _DATABASE.hostname,
        "PORT": _DATABASE.port,
        "CONN_MAX_AGE": 600,
    }
}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
USE_TZ = True
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["BENCH_PORT"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # Both would print a line for each letter.
    "loggers": {"mailer": {"level": "WARNING"}, "post_office": {"level": "WARNING"}, "rq": {"level": "WARNING"}},
}

POST_OFFICE = {
    "BATCH_SIZE": OPTIONS.get("batch", 5000),
    "THREADS_PER_PROCESS": OPTIONS.get("threads", 5),
    "BATCH_DELIVERY_TIMEOUT": 600,
    "LOG_LEVEL": OPTIONS.get("log_level", 1),  # failures only
}
MAILER_USE_FILE_LOCK = False  # or a second process would do nothing
RQ_QUEUES = {
    "default": {
        "URL": os.environ.get("BENCH_BROKER", ""),
        "SERIALIZER": "rq.serializers.JSONSerializer",
        "DEFAULT_TIMEOUT": 600,
    }
}
