"""Settings, all of them from the environment; `.env.example` lists every one."""

import hashlib
import warnings
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import env, hooks, providers

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(env.text("POSTBAG_DATA", str(ROOT / ".postbag"))).absolute()
PORT = env.integer("PORT", 8000, least=1, most=65535)
WORKERS = env.integer("WORKERS", 2, least=1, most=64)
BASE_URL = env.base_url("BASE_URL", f"http://localhost:{PORT}")
DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.text("REDIS_URL", f"unix://{env.text('POSTBAG_BROKER_SOCKET', str(DATA / 'broker.sock'))}")
EMBEDDED = not DATABASE_URL

SECRET_KEY = env.kept_secret("SECRET_KEY", DATA, required=not EMBEDDED)
MASTER_KEY = hashlib.sha256(
    b"postbag master key\0" + env.secret("MASTER_KEY", SECRET_KEY).encode()
).digest()  # wraps each campaign's key
PEPPER = hashlib.sha256(b"postbag pepper\0" + env.secret("PEPPER", SECRET_KEY).encode()).digest()
DEBUG = False
INSTANCE_ID = env.identity("INSTANCE_ID")  # which installation a host without a state file of its own works for

# ── where mail goes ──────────────────────────────────────────────────────────────────────────────────────
POSTBOX_PORT = env.integer("POSTBOX_PORT", 0, least=0, most=65535)  # set by the supervisor
REHEARSAL = env.text("REHEARSAL") == "yes"  # set by `manage.py rehearse`: nothing may leave this machine
_BUILT_IN = env.MailServerAddress("127.0.0.1", POSTBOX_PORT or 8025, "plain")
_NAMED = env.mail_server("EMAIL_URL")
BUILT_IN_MAIL_SERVER = _NAMED is None or REHEARSAL
MAIL_SERVER = _NAMED or _BUILT_IN
SUPPORTER_MAIL_SERVER = env.mail_server("SUPPORTER_EMAIL_URL") or (_BUILT_IN if REHEARSAL else MAIL_SERVER)
if REHEARSAL and not (MAIL_SERVER.is_loopback and SUPPORTER_MAIL_SERVER.is_loopback):
    raise ImproperlyConfigured("A rehearsal sends to this machine only. Name a loopback address such as 127.0.0.1.")
MAIL_DOMAIN = env.text("MAIL_DOMAIN", "letters.postbag.example")
HOOKS = hooks.read(  # who may tell us, by HTTP, what became of letters
    env.text("HOOKS") if not REHEARSAL else hooks.NONE, env.text("HOOKS_SECRET"), env.text("HOOKS_KEYS"),
    MAIL_SERVER if isinstance(MAIL_SERVER, providers.ProviderAddress) else None,
)  # fmt: skip
INBOUND_HOST = env.text("INBOUND_HOST", "127.0.0.1")  # where `manage.py receive` takes mail to MAIL_DOMAIN …
INBOUND_PORT = env.integer("INBOUND_PORT", 0, least=0, most=65535)  # … by SMTP; 0: not at all
INBOUND_LMTP_PORT = env.integer("INBOUND_LMTP_PORT", 0, least=0, most=65535)  # … by LMTP
INBOUND_CERTIFICATE = env.text("INBOUND_CERTIFICATE")  # files in PEM, for STARTTLS
INBOUND_KEY = env.text("INBOUND_KEY")
RECEIVES_MAIL = env.text("RECEIVES_MAIL") == "yes"  # what is sent to MAIL_DOMAIN reaches `manage.py receive` or a hook
POSTBOX_STORE = DATA / "postbox.sqlite3"
PACED = env.text("PACED", "yes") != "no"  # a rehearsal may ignore the offices' caps; nothing else should
LEASE_SECONDS = env.integer("LEASE_SECONDS", 120, least=2, most=600)  # how long a worker holds what it claimed
BACKOFF_PERCENT = env.integer("BACKOFF_PERCENT", 100, least=1, most=100)  # a rehearsal waits less between tries
MAIL_PATIENCE_PERCENT = env.integer("MAIL_PATIENCE_PERCENT", 100, least=1, most=100)  # of the time-outs of RFC 5321
CONNECTIONS = env.integer("CONNECTIONS", 16, least=1, most=64)  # open lines to the mail server, per worker
CONNECTIONS_PER_DOMAIN = env.integer("CONNECTIONS_PER_DOMAIN", 2, least=1, most=64)  # of all workers, to one domain

# ── the framework ────────────────────────────────────────────────────────────────────────────────────────
ALLOWED_HOSTS = env.hosts_of(BASE_URL)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "accounts.apps.AccountsConfig",
    "targets.apps.TargetsConfig",
    "campaigns.apps.CampaignsConfig",
    "letters.apps.LettersConfig",
    "web.apps.WebConfig",
    "worker.apps.WorkerConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_rq",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "web.front.HealthForEveryHost",
    "web.security.SupporterPagesCarryNoCookie",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "web.errors.BearableRequests",
    "web.errors.DomainErrors",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
SILENCED_SYSTEM_CHECKS: list[str] = []

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [ROOT / "templates" / "pages", ROOT / "templates" / "mail"],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "config.jinja.environment"},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates" / "sign_in"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

# ── the two databases ────────────────────────────────────────────────────────────────────────────────────
try:
    with warnings.catch_warnings(action="ignore"):  # it would print the address, password and all
        _database = environ.Env.db_url_config(DATABASE_URL or f"sqlite:///{DATA / 'postbag.sqlite3'}")
except (environ.ImproperlyConfigured, ValueError) as error:
    raise ImproperlyConfigured(
        "DATABASE_URL cannot be read. Write it as postgres://name:password@host:5432/database."
    ) from error
if _database.get("ENGINE") == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # DEFERRED transactions fail with "database is locked" when two of them want to write.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; "
        "PRAGMA mmap_size=134217728;",
    }
elif _database.get("ENGINE") == "django.db.backends.postgresql":
    # Whoever freezes, or loses the line, inside a transaction must not hold its locks until others' leases are over.
    _database["OPTIONS"] = {
        "options": f"-c idle_in_transaction_session_timeout={max(LEASE_SECONDS // 4, 2)}s",
        "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
        **_database.get("OPTIONS", {}),
    }  # fmt: skip
else:
    raise ImproperlyConfigured("DATABASE_URL must name PostgreSQL (postgres://…) or SQLite (sqlite:///path).")
_database["CONN_MAX_AGE"] = 600
_database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}

RQ_QUEUES = {
    "postbag": {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": 120,
        "SERIALIZER": "rq.serializers.JSONSerializer",
        "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 2, "socket_timeout": 5},
    }
}
RQ = {"DEFAULT_RESULT_TTL": 60, "SHOW_ADMIN_LINK": False}

CACHES = {
    # Files, because both web processes count tries to sign in, and must go on where the broker is away.
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA / "cache",
        "TIMEOUT": 60,
        "OPTIONS": {"MAX_ENTRIES": 5000},
    }
}

# ── who organises ────────────────────────────────────────────────────────────────────────────────────────
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "web.organisers.sign_in.MembersOnly"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"reset_password": "20/m/ip,3/h/key"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Postbag"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # members are invited by an owner; their address is not theirs to choose
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not BASE_URL.startswith("https://")  # passkeys on localhost
ACCOUNT_MAX_EMAIL_ADDRESSES = 1
LOGIN_URL = "/organise/sign-in/login/"
LOGIN_REDIRECT_URL = "/organise/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "web.errors.form_expired"
# Sign-in mail only; letters have their own way.
if isinstance(SUPPORTER_MAIL_SERVER, env.MailServerAddress):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = SUPPORTER_MAIL_SERVER.host, SUPPORTER_MAIL_SERVER.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = SUPPORTER_MAIL_SERVER.username, SUPPORTER_MAIL_SERVER.password
    EMAIL_USE_TLS = SUPPORTER_MAIL_SERVER.security == "starttls"
    EMAIL_USE_SSL = SUPPORTER_MAIL_SERVER.security == "tls"
    EMAIL_TIMEOUT = 30
else:
    EMAIL_BACKEND = SUPPORTER_MAIL_SERVER.backend
    ANYMAIL = SUPPORTER_MAIL_SERVER.as_settings()
DEFAULT_FROM_EMAIL = f"Postbag <organisers@{MAIL_DOMAIN}>"

# ── what browsers are told ───────────────────────────────────────────────────────────────────────────────
_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.text("BEHIND_PROXY") == "yes" else None
ALLAUTH_TRUSTED_PROXY_COUNT = 0 if SECURE_PROXY_SSL_HEADER is None else 1  # whose limits count per visitor
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "style-src": [SELF, NONCE],
        "script-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144  # supporter forms; imports raise it for themselves
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FILES = 2

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = DATA / "media"

LANGUAGE_CODE = "en"  # of the source, of organisers' pages, and of whoever asks for a language that is not offered
LANGUAGES = [  # what supporters may read in, each under its own name; CONTRIBUTING.md says how to add one
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("ru", "Русский"),
    ("kk", "Қазақша"),
    ("ar", "العربية"),
]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"class": "config.logs.WithoutTokens", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.chosen("LOG_LEVEL", "WARNING", among=LOG_LEVELS)},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "botocore": {"level": "WARNING"},  # below, it logs whole letters
    },
}
