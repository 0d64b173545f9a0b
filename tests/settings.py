"""Settings for tests: the real ones, in a directory of their own."""

import atexit
import os
import shutil
import tempfile

_DATA = tempfile.mkdtemp(prefix="postbag-tests-")  # never the one of an installation: it is deleted at the end
atexit.register(shutil.rmtree, _DATA, ignore_errors=True)
os.environ["POSTBAG_DATA"] = _DATA
os.environ.setdefault("SECRET_KEY", "a key for tests alone, long enough to be accepted")
os.environ.setdefault("BASE_URL", "http://localhost:8000")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # a browser's event loop runs in the thread of its tests
os.environ["INSTANCE_ID"] = "5e" * 16  # each test's database is a new one, whatever was sent from it before the worker

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
DATABASES["default"].get("OPTIONS", {}).pop("options", None)  # noqa: F405  many a test is one transaction, and waits
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # Threads of one process share an in-memory database and its locks; a file has the real ones.
    DATABASES["default"]["TEST"] = {"NAME": f"{_DATA}/tests.sqlite3"}  # noqa: F405
