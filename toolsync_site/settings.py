"""The only settings. What differs from one machine to the next comes from the environment or from `.env`.

With an empty environment ToolSync runs embedded: SQLite, Celery on the filesystem and local files, all under `var/`.
Setting `DATABASE_URL` makes it a production site; nothing else changes its kind.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from toolsync_site.logs import logging_config
from toolsync_site.storages import storage_from_url, unreadable

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(os.environ.get("TOOLSYNC_ENV_FILE", BASE_DIR / ".env"))

VAR_DIR = Path(env.str("TOOLSYNC_VAR", default=str(BASE_DIR / "var"))).absolute()
EMBEDDED = not env.str("DATABASE_URL", default="")


def _made_folder(name: str) -> Path:
    folder = VAR_DIR / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _kept_secret_key() -> str:
    """Return the secret key of an embedded site, made once and kept, so that a restart doesn't sign everybody out."""
    path = _made_folder("") / "secret_key"
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


def _address(setting: str, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Read an address of the environment. What can't be read is named, not quoted: it may hold a password."""
    try:
        return read()
    except (ValueError, LookupError):
        raise ImproperlyConfigured(unreadable(setting)) from None


# --- Django ----------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)

SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not EMBEDDED:
        raise ImproperlyConfigured(
            "Set SECRET_KEY to 50 or more random characters; .env.example shows how to make them."
        )
    SECRET_KEY = _kept_secret_key()

# Keys of before: who is signed in stays so, and what they encrypted can be read (`manage.py rotatekeys`).
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])

# The machine itself may always ask: health checks come from there, and no browser elsewhere can be lured to it.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", default=[]), "localhost", "127.0.0.1", "[::1]"]
CSRF_FAILURE_VIEW = "sync.web.views.frame.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "sync",
    "toolsync_site.repair.RepairConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # Before staticfiles, so that `runserver` serves static files the way gunicorn does.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "toolsync_site.logins.LoginsElsewhereConfig",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "axes",
    "csp",
    "storages",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "toolsync_site.responses.NothingKept",
    "toolsync_site.responses.DirectionMarks",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "toolsync_site.addresses.NoNullCharacters",
    "sync.web.preferences.own_time_zone",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sync.web.access.acting_user",
    "sync.web.page_site.site_of_address",
    "toolsync_site.uploads.UploadLimits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "sync.web.second_factor.SecondFactorAsked",
    # Last: it turns the lockout that authentication signals into an answer.
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "toolsync_site.urls"
WSGI_APPLICATION = "toolsync_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            # sync.web is a folder of the app, not an app: its tags are named here.
            "libraries": {"toolsync": "sync.web.templatetags.toolsync"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASE_OPTIONS: dict[str, dict[str, Any]] = {
    # Web, worker and beat share one file: WAL lets them read while one writes. A transaction that began by reading
    # can't wait for the lock when it comes to write (SQLite fails it at once), so each begins as a writer.
    "django.db.backends.sqlite3": {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
    },
    "django.db.backends.mysql": {"charset": "utf8mb4"},
}
DATABASE: dict[str, Any] = (
    {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_made_folder("") / "toolsync.sqlite3")}
    if EMBEDDED
    else {
        **_address("DATABASE_URL", lambda: env.db_url("DATABASE_URL")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
)
DATABASE["OPTIONS"] = DATABASE_OPTIONS.get(DATABASE["ENGINE"], {}) | DATABASE.get("OPTIONS", {})
DATABASES = {"default": DATABASE}

LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = reverse_lazy("login")
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    # What people may do by their roles; it signs nobody in.
    "sync.people.rights.RoleBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
# Wrong passwords make the pair of account and address wait, longer each time: somebody who guesses must not be able to lock
# an administrator out. axes records them, sync/web/login.py says how long.
AXES_HANDLER = "sync.web.login.GrowingDelays"
AXES_LOCKOUT_CALLABLE = "sync.web.login.ask_to_wait"
AXES_CLIENT_IP_CALLABLE = "sync.web.login.client_address"
AXES_USERNAME_CALLABLE = "sync.web.login.login_name"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCK_OUT_AT_FAILURE = False
# A try that comes too early isn't looked at, and makes nobody wait longer.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_COOLOFF_TIME = 24  # hours for which failures are remembered
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# allauth has what comes after the password, and OpenID Connect; nobody signs up, and addresses are what administrators say.
# Its own limits are off: they count for each process by itself. Ours count in the database (sync/people/login_rules.py).
ACCOUNT_ADAPTER = "sync.people.login_rules.AccountRules"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "sync.people.login_rules.SecondFactorRules"
MFA_FORMS = {
    "authenticate": "sync.people.login_rules.CodeForm",
    "reauthenticate": "sync.people.login_rules.CodeAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1
SOCIALACCOUNT_ADAPTER = "sync.people.login_rules.OpenIdRules"
# A link, not a form: the policy below lets no form lead to another server.
SOCIALACCOUNT_LOGIN_ON_GET = True

# Of whom a second factor is wanted: administrators, everybody, or nobody.
TOOLSYNC_SECOND_FACTOR = env.str("TOOLSYNC_SECOND_FACTOR", default="")
if TOOLSYNC_SECOND_FACTOR not in ("", "administrators", "everybody"):
    raise ImproperlyConfigured('Set TOOLSYNC_SECOND_FACTOR to "administrators" or "everybody", or leave it empty.')
TOOLSYNC_OIDC_ISSUER = env.str("TOOLSYNC_OIDC_ISSUER", default="")
TOOLSYNC_OIDC_NAME = env.str("TOOLSYNC_OIDC_NAME", default="OpenID Connect")
TOOLSYNC_OIDC_TRUST_ADDRESSES = env.bool("TOOLSYNC_OIDC_TRUST_ADDRESSES", default=False)
OIDC_APP = {
    "provider_id": "oidc",
    "name": TOOLSYNC_OIDC_NAME,
    "client_id": env.str("TOOLSYNC_OIDC_CLIENT_ID", default=""),
    "secret": env.str("TOOLSYNC_OIDC_CLIENT_SECRET", default=""),
    "settings": {"server_url": TOOLSYNC_OIDC_ISSUER.rstrip("/")},
}
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [OIDC_APP] if TOOLSYNC_OIDC_ISSUER else []}
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
# Texts of templates/ and toolsync_site/ are kept in the app's catalogue too: one file for a translator.
LOCALE_PATHS = [BASE_DIR / "sync" / "locale"]
FORMAT_MODULE_PATH = ["toolsync_site.formats"]
TIME_ZONE = env.str("TOOLSYNC_TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]

# Uploads go to disk piece by piece, never into memory: a command file may have a million rows.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = _made_folder("uploads")

# Without a mail server the mails are kept as files: a message may hold a new password and must not be printed to a log.
EMAIL_CONFIG = _address(
    "EMAIL_URL", lambda: env.email_url("EMAIL_URL", default=f"filemail:///{quote(str(_made_folder('mail')))}")
)
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG["EMAIL_HOST"]
EMAIL_PORT = EMAIL_CONFIG["EMAIL_PORT"]
EMAIL_HOST_USER = EMAIL_CONFIG["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = EMAIL_CONFIG["EMAIL_HOST_PASSWORD"]
EMAIL_FILE_PATH = EMAIL_CONFIG["EMAIL_FILE_PATH"]
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ToolSync <toolsync@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

BEHIND_TLS = env.bool("TOOLSYNC_BEHIND_TLS", default=not DEBUG and not EMBEDDED)
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Health checks speak to the container, not to the proxy that holds the certificate.
    SECURE_REDIRECT_EXEMPT = [r"^healthz/?$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
# HSTS speaks for this host alone: its subdomains and the browsers' preload list are for others to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = BEHIND_TLS
CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
# Browsers give passkeys to https alone, and to a site on the same machine.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not BEHIND_TLS

# Nothing inline and nothing from elsewhere. Bootstrap's own stylesheet carries its icons as data: images.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(
    as_json=env.bool("TOOLSYNC_LOG_JSON", default=False), level=env.str("TOOLSYNC_LOG_LEVEL", default="INFO").upper()
)

# --- Celery ----------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
if CELERY_BROKER_URL.startswith("filesystem:"):
    _messages = str(_made_folder("broker/messages"))
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        # Sender and receiver use one folder, so `in` and `out` are the same.
        "data_folder_in": _messages,
        "data_folder_out": _messages,
        "control_folder": str(_made_folder("broker/control")),
        # A worker that is at work looks again after so long, a second if nothing is said: with six messages a tick, runs would
        # wait behind them.
        "polling_interval": 0.2,
    }
else:
    # Redis hands a task to a second worker once it has been unacknowledged for this long. A dead worker's run is found
    # by `sync.recover_dead_runs` long before; this is longer than any run, so that a living one isn't delivered twice.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 24 * 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# A task is given back when its worker dies, and one worker never hoards runs that another could start. Tasks claim
# their run by a conditional UPDATE, so that a second delivery does no harm.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = TIME_ZONE
# Beat has one entry (toolsync_site/celery.py) and remembers nothing: what is due is asked of the database.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
# How often workers look for what is due. A minute, the default, is each full minute of the clock.
TOOLSYNC_TICK_SECONDS = env.int("TOOLSYNC_TICK_SECONDS", default=60)

# --- storages --------------------------------------------------------------------------------------------------------

STORAGES: dict[str, dict[str, Any]] = {
    # Command files, reports, trybacks and archives.
    "files": storage_from_url(env.str("TOOLSYNC_STORAGE", default=_made_folder("files").as_uri())),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    # Where other systems leave files to be fetched: name -> address like the one of TOOLSYNC_STORAGE.
    **{
        f"inbox-{name}": storage_from_url(url, "TOOLSYNC_INBOXES")
        for name, url in env.json("TOOLSYNC_INBOXES", default={}).items()
    },
}

# --- The API ---------------------------------------------------------------------------------------------------------

# Tokens only: no cookie of a browser opens it, so that no page elsewhere can make a browser ask for something.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["sync.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["sync.api.authentication.TokenAllows"],
    "DEFAULT_THROTTLE_CLASSES": ["sync.api.authentication.TokenRate"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["sync.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "sync.api.schema.OperationSchema",
    "EXCEPTION_HANDLER": "sync.api.problems.answer_problem",
    "DEFAULT_METADATA_CLASS": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "ToolSync",
    "VERSION": "1",
    "DESCRIPTION": "Feeds Moodle in bulk: files and rows are planned, checked, applied, and can be undone.",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "RunState": "sync.models.run.RunState",
        "SequenceState": "sync.models.schedule.SequenceState",
        "GraceState": "sync.models.grace.GraceEntry.State",
        "ScopeKind": "sync.models.site.ScopeLimits.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "sync.api.schema.add_what_all_have",
    ],
}

# --- ToolSync --------------------------------------------------------------------------------------------------------

# So many proxies of ours stand in front, each of which appends whom it was asked by to X-Forwarded-For.
TOOLSYNC_TRUSTED_PROXIES = env.int("TOOLSYNC_TRUSTED_PROXIES", default=0)

# Where people find the site: mails are sent by workers, which never see a request.
TOOLSYNC_ADDRESS = env.str("TOOLSYNC_ADDRESS", default=next((o for o in CSRF_TRUSTED_ORIGINS if "*" not in o), ""))

# The Moodle of the site `main`. Read in sync/runs/options.py only, like everything below.
TOOLSYNC_MOODLE_URL = env.str("TOOLSYNC_MOODLE_URL", default="")
TOOLSYNC_MOODLE_PREFIX = env.str("TOOLSYNC_MOODLE_PREFIX", default="mdl_")
TOOLSYNC_MOODLE_DATAROOT = env.str("TOOLSYNC_MOODLE_DATAROOT", default="")
TOOLSYNC_MOODLE_TIME_ZONE = env.str("TOOLSYNC_MOODLE_TIME_ZONE", default="")
TOOLSYNC_MOODLE_OPERATOR = env.str("TOOLSYNC_MOODLE_OPERATOR", default="admin")
TOOLSYNC_MOODLE_CHANGE_PROTECTED_ACCOUNTS = env.bool("TOOLSYNC_MOODLE_CHANGE_PROTECTED_ACCOUNTS", default=False)
TOOLSYNC_MOODLE_ASSIGN_CONFIGURING_ROLES = env.bool("TOOLSYNC_MOODLE_ASSIGN_CONFIGURING_ROLES", default=False)
TOOLSYNC_MOODLE_WRITE_UNKNOWN_VERSIONS = env.bool("TOOLSYNC_MOODLE_WRITE_UNKNOWN_VERSIONS", default=False)
TOOLSYNC_MOODLE_LEAVE_TABLES: list[str] = env.list("TOOLSYNC_MOODLE_LEAVE_TABLES", default=[])
TOOLSYNC_MOODLE_PEPPERS: list[str] = env.json("TOOLSYNC_MOODLE_PEPPERS", default=[])
# A command to run: from the environment only, so that nobody who reaches the web pages can choose it.
TOOLSYNC_MOODLE_CLI: list[str] = env.json("TOOLSYNC_MOODLE_CLI", default=[])
TOOLSYNC_MOODLE_CLI_SECONDS = env.int("TOOLSYNC_MOODLE_CLI_SECONDS", default=300)
TOOLSYNC_MOODLE_RESTORE_SECONDS = env.int("TOOLSYNC_MOODLE_RESTORE_SECONDS", default=3600)

# What a page may choose from where a further Moodle is set up: whoever reaches the pages must not reach every server, folder and
# program of this machine and its network. Read in sync/runs/options.py.
TOOLSYNC_SITE_HOSTS: list[str] = env.list("TOOLSYNC_SITE_HOSTS", default=[])
TOOLSYNC_SITE_FOLDERS: list[str] = env.list("TOOLSYNC_SITE_FOLDERS", default=[])
TOOLSYNC_SITE_COMMANDS: dict[str, list[str]] = env.json("TOOLSYNC_SITE_COMMANDS", default={})

# What runs leave is removed after so many days, unless the page of settings says otherwise.
# Whether limits are on where nobody has set any, and how long a plan may be applied after it was made.
TOOLSYNC_GUARD = env.bool("TOOLSYNC_GUARD", default=True)
TOOLSYNC_PLAN_HOURS = env.int("TOOLSYNC_PLAN_HOURS", default=24)
# How long the answer of a page waits for the run of a small file, so that it can say what came of it.
# Set by `make demo`: the overview has a tour.
TOOLSYNC_DEMO = env.bool("TOOLSYNC_DEMO", default=False)
TOOLSYNC_ANSWER_SECONDS = env.float("TOOLSYNC_ANSWER_SECONDS", default=3)
TOOLSYNC_API_REQUESTS_PER_MINUTE = env.int("TOOLSYNC_API_REQUESTS_PER_MINUTE", default=600)
TOOLSYNC_KEEP_DAYS = env.int("TOOLSYNC_KEEP_DAYS", default=90)
TOOLSYNC_KEEP_JOURNAL_DAYS = env.int("TOOLSYNC_KEEP_JOURNAL_DAYS", default=30)
TOOLSYNC_CHUNK_ROWS = env.int("TOOLSYNC_CHUNK_ROWS", default=5000)
TOOLSYNC_HEARTBEAT_SECONDS = env.int("TOOLSYNC_HEARTBEAT_SECONDS", default=5)
TOOLSYNC_LEASE_SECONDS = env.int("TOOLSYNC_LEASE_SECONDS", default=45)
TOOLSYNC_RETRY_SECONDS = env.int("TOOLSYNC_RETRY_SECONDS", default=600)
# With several sites: how many workers one may have at a time, and how long a run may wait for its Moodle in a worker that others
# need.
TOOLSYNC_RUNS_PER_SITE = env.int("TOOLSYNC_RUNS_PER_SITE", default=2)
TOOLSYNC_TURN_SECONDS = env.int("TOOLSYNC_TURN_SECONDS", default=10)
TOOLSYNC_MAX_UPLOAD_MB = env.int("TOOLSYNC_MAX_UPLOAD_MB", default=1024)

# Where files come from without a person. The folder is the operator's to choose: nobody who reaches the web pages can.
TOOLSYNC_DROP_FOLDER = env.str("TOOLSYNC_DROP_FOLDER", default="") or str(
    Path(TOOLSYNC_MOODLE_DATAROOT, "sync")
    if TOOLSYNC_MOODLE_DATAROOT and "://" not in TOOLSYNC_MOODLE_DATAROOT
    else VAR_DIR / "drop"
)
TOOLSYNC_FETCH_HOSTS: list[str] = env.list("TOOLSYNC_FETCH_HOSTS", default=[])
TOOLSYNC_FETCH_SECONDS = env.int("TOOLSYNC_FETCH_SECONDS", default=600)
TOOLSYNC_FETCH_ROWS = env.int("TOOLSYNC_FETCH_ROWS", default=2_000_000)
TOOLSYNC_SETTLE_SECONDS = env.int("TOOLSYNC_SETTLE_SECONDS", default=10)
TOOLSYNC_CREDENTIALS_KEY = env.str("TOOLSYNC_CREDENTIALS_KEY", default="")
TOOLSYNC_CREDENTIALS_KEY_FALLBACKS: list[str] = env.list("TOOLSYNC_CREDENTIALS_KEY_FALLBACKS", default=[])

# Pauses before a mail or message that wasn't taken is tried again, in seconds; after the last it is given up.
TOOLSYNC_NOTIFICATION_RETRY_DELAYS: list[int] = env.list(
    "TOOLSYNC_NOTIFICATION_RETRY_DELAYS", cast=int, default=[60, 5 * 60, 15 * 60, 3600, 4 * 3600, 12 * 3600]
)
