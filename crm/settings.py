"""All settings, from environment variables; a missing or bad value stops the start.

Every key is described in .env.example.
"""

import sys
from pathlib import Path
from urllib.parse import quote, unquote

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    environ.Env.read_env(str(BASE_DIR / ".env"))


def required(key: str, hint: str) -> str:
    """Return the value of an environment variable that has no default."""
    value = env.str(key, default="")
    if not value:
        msg = f"{key} is not set: {hint}"
        raise ImproperlyConfigured(msg)
    return value


# --- Basics -----------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = required(
    "SECRET_KEY", "use a long random text, or run bin/manage, which makes one."
)
# Keys that were used before, so that what was signed or encrypted stays readable.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
VAR_DIR = Path(env.str("CRM_VAR_DIR", default=str(BASE_DIR / "var")))
DATA_DIR = Path(env.str("CRM_DATA_DIR", default=str(BASE_DIR.parent / "shared/data")))
ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "crm.User"

INSTALLED_APPS = [
    "crm",
    "customers",
    "sales",
    "marketing",
    "service",
    "analytics",
    "analytics.performance",
    # Apps of the company's own, which register their models like ours do.
    *env.list("EXTRA_APPS", default=[]),
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "django_filters",
    "django_celery_beat",
    "csp",
]

MIDDLEWARE = [
    # What sets headers stands first, so that static files and errors have them too.
    "django.middleware.security.SecurityMiddleware",
    "crm.security.middleware.HeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Random bytes in each answer hide what compression could tell (BREACH).
    "crm.compression.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "crm.middleware.AuthenticationMiddleware",
    "crm.security.middleware.SessionLimitsMiddleware",
    "crm.middleware.LoginRequiredMiddleware",
    "crm.middleware.PersonalSettingsMiddleware",
    "crm.history.context.OperationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "crm.security.middleware.SecondFactorMiddleware",
    "crm.security.middleware.DenialMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

# bin/manage bench sets it for the server that it measures.
if env.bool("CRM_BENCH", default=False):
    MIDDLEWARE.insert(0, "crm.bench.middleware.CostMiddleware")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm.context_processors.shell",
            ],
        },
    },
]

FORM_RENDERER = "crm.generic.widgets.QuickRenderer"
# A web address without a scheme is https; Django 6 does so by itself.
FORMS_URLFIELD_ASSUME_HTTPS = True

# --- Database, broker, cache ------------------------------------------------
DATABASES = {
    "default": env.db_url_config(
        required("DATABASE_URL", "run bin/manage, or name a PostgreSQL database.")
    )
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    msg = "DATABASE_URL must name a PostgreSQL database (postgres://…)."
    raise ImproperlyConfigured(msg)
DATABASES["default"]["ENGINE"] = "crm.database"
DATABASES["default"]["HOST"] = unquote(DATABASES["default"]["HOST"])
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=300)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})
# The statements of crm/statements.py are planned once. -1 behind a pooler that
# gives each transaction another connection.
PREPARE_AFTER = env.int("DB_PREPARE_AFTER", default=2)
if PREPARE_AFTER >= 0:
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = PREPARE_AFTER
# So long the database may look for the rows of a filtered or sorted list.
LIST_TIMEOUT_MS = env.int("LIST_TIMEOUT_MS", default=5000)

REDIS_URL = required("REDIS_URL", "run bin/manage, or name a Redis or Valkey server.")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "crm",
    },
    # What a page can do without: never worth a visit to another server.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 2000},
    },
}


def celery_broker_url(url: str) -> str:
    """Return the URL as Celery's transport spells it (Unix sockets differ)."""
    if url.startswith("unix://"):
        path, _sep, query = url.removeprefix("unix://").partition("?")
        return f"redis+socket://{quote(unquote(path))}" + (f"?{query}" if query else "")
    return url


CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TIME_LIMIT = env.int("JOB_TIME_LIMIT", default=3600)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than any job may run: a message is not handed out twice meanwhile.
    "visibility_timeout": CELERY_TASK_TIME_LIMIT + 600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# The scheduler writes down at once what it sent: so it is seen that it lives.
CELERY_BEAT_SYNC_EVERY = 1
# Seconds a worker owns a job without a sign of life; the sweeper then requeues it.
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=30)
JOB_SWEEP_SECONDS = env.int("JOB_SWEEP_SECONDS", default=10)
# Days for which a job that has ended can be looked at.
JOB_KEEP_DAYS = env.int("JOB_KEEP_DAYS", default=30)
# Seconds between two looks for days whose sums are out of date.
ROLLUP_SECONDS = env.int("ROLLUP_SECONDS", default=60)
CELERY_BEAT_SCHEDULE = {
    "refresh-rollups": {"task": "sales.refresh_rollups", "schedule": ROLLUP_SECONDS},
    "sweep-jobs": {"task": "crm.sweep_jobs", "schedule": JOB_SWEEP_SECONDS},
    "deliver-notifications": {"task": "crm.deliver_notifications", "schedule": 15},
    "forget-notifications": {
        "task": "crm.forget_notifications",
        "schedule": 24 * 3600,
    },
    # People live in different time zones.
    "due-notifications": {
        "task": "crm.enqueue_job",
        "schedule": crontab(minute=5),
        "args": ["notification-due"],
    },
    "notification-digests": {
        "task": "crm.enqueue_job",
        "schedule": crontab(minute="*/15"),
        "args": ["notification-digests"],
    },
    "empty-trash": {"task": "crm.empty_trash", "schedule": 24 * 3600},
    "forget-files": {"task": "crm.forget_files", "schedule": 24 * 3600},
    "forget-jobs": {"task": "crm.forget_jobs", "schedule": 24 * 3600},
    "back-up": {
        "task": "crm.enqueue_job",
        "schedule": crontab(hour=1, minute=0),
        "args": ["backup"],
    },
    "try-backup": {
        "task": "crm.enqueue_job",
        "schedule": crontab(hour=4, minute=0, day_of_week="sunday"),
        "args": ["verify-backup"],
    },
    "search-order": {
        "task": "crm.enqueue_job",
        "schedule": crontab(hour=2, minute=0, day_of_week="sunday"),
        "args": ["search-order"],
    },
    "keep-field-indexes": {
        "task": "crm.keep_field_indexes",
        "schedule": crontab(hour=1, minute=30),
    },
    "forget-sessions": {"task": "crm.forget_sessions", "schedule": 24 * 3600},
    "forget-security-events": {
        "task": "crm.forget_security_events",
        "schedule": 24 * 3600,
    },
    "refresh-duplicates": {
        "task": "crm.enqueue_job",
        "schedule": crontab(hour=3, minute=0, day_of_week="sunday"),
        "args": ["duplicates"],
    },
    # One after the other in the small hours; the schedule can be edited in the admin.
    **{
        f"refresh-{kind}": {
            "task": "crm.enqueue_job",
            "schedule": crontab(hour=2, minute=5 * place),
            "args": [kind],
        }
        for place, kind in enumerate(
            ("statistics", "segmentation", "ltv", "conversion", "ticket-class")
        )
    },
}
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- Sign-in ----------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["crm.accounts.Backend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "crm.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
# A mail tells people what was changed about how they sign in.
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Attempts in a time, by address ("ip"), person ("user") or account ("key").
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "signup": "20/m/ip",
}
MFA_ADAPTER = "crm.security.factors.FactorAdapter"
MFA_FORMS = {"add_webauthn": "crm.security.forms.PasskeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
# Addresses are an administrator's word; nobody has to prove theirs first.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Seconds without a visit after which a session ends, and its longest life.
SESSION_ENGINE = "crm.security.session_store"
SESSION_COOKIE_AGE = ACCOUNT_SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_MAX_AGE = env.int("SESSION_MAX_AGE", default=30 * 24 * 3600)
# A session is written again after so many seconds, not at each visit.
SESSION_RENEW_SECONDS = 3600
# Days for which the log of security events is kept; the database keeps 90 in any case.
SECURITY_EVENT_KEEP_DAYS = env.int("SECURITY_EVENT_KEEP_DAYS", default=400)

# --- Language, time, numbers ------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["crm.formats"]
DEFAULT_CURRENCY = env.str("DEFAULT_CURRENCY", default="EUR")

# --- Files ------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *(
        (prefix, NODE_MODULES / folder)
        for prefix, folder in (
            ("tabler", "@tabler/core/dist"),
            ("echarts", "echarts/dist"),
            ("tom-select", "tom-select/dist"),
            ("sortablejs", "sortablejs"),
        )
        if (NODE_MODULES / folder).is_dir()
    ),
]
STATICFILES_FINDERS = [
    "crm.staticfiles.UsedFilesFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": env.str(
            "STATICFILES_BACKEND",
            default="crm.staticfiles.StaticFilesStorage",
        )
    },
}
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
# Where the nightly backup is written, and how many of them are kept.
BACKUP_DIR = Path(env.str("BACKUP_DIR", default=str(VAR_DIR / "backups")))
BACKUP_KEEP = env.int("BACKUP_KEEP", default=7)
# Encrypts backups; who loses it loses them.
BACKUP_KEY = env.str("CRM_BACKUP_KEY", default="")
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# A form with as many rows below it as one page takes.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=4 * 1024**3)
# A workbook of more rows is made by a job; CSV is streamed whatever its size.
EXPORT_AT_ONCE_ROWS = env.int("EXPORT_AT_ONCE_ROWS", default=5000)
# Of one file at a row; and which content types are taken, of those that
# crm/attachments/kinds.py knows: all of them unless some are named.
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", default=25 * 1024**2)
ATTACHMENT_TYPES = env.list("ATTACHMENT_TYPES", default=[])

# --- Mail -------------------------------------------------------------------
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="crm@localhost")
# A mail server that does not answer must not hold a worker.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)
# Where mails lead to. By default the first host name, by https.
SITE_URL = env.str(
    "SITE_URL",
    default="https://" + ("".join(ALLOWED_HOSTS[:1]).lstrip(".*") or "localhost"),
).rstrip("/")
# The hour of a person's own day from which on the digest is sent.
DIGEST_HOUR = env.int("DIGEST_HOUR", default=7)
# Days for which a notification that was read is kept; an unread one a year.
NOTIFICATION_KEEP_DAYS = env.int("NOTIFICATION_KEEP_DAYS", default=60)

# --- Security headers -------------------------------------------------------
# Plain http is for a first run on the loopback address only.
INSECURE_HTTP = env.bool("CRM_INSECURE_HTTP", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not INSECURE_HTTP
if not INSECURE_HTTP:
    # Browsers take a cookie of such a name from this host over TLS alone.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
SECURE_SSL_REDIRECT = not INSECURE_HTTP
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not INSECURE_HTTP
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Else the limits of sign-in attempts would count everybody as the proxy.
    ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=1)
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# What no page here has a use for; passkeys are for our own pages alone.
PERMISSIONS_POLICY = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer",
                "camera",
                "display-capture",
                "geolocation",
                "gyroscope",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "usb",
            )
        ),
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        # ECharts and Tabler set style attributes from script; no inline <style>.
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Logging ----------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": sys.stderr,
            "formatter": "line",
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}

# --- Analyses ---------------------------------------------------------------
LTV_DISCOUNT_RATE = env.float("LTV_DISCOUNT_RATE", default=0.10)
LTV_HORIZON_YEARS = env.int("LTV_HORIZON_YEARS", default=3)
LTV_MARGIN = env.float("LTV_MARGIN", default=1.0)
LTV_ACQUISITION_COST = env.float("LTV_ACQUISITION_COST", default=0.0)
