"""Settings, all from the environment with defaults that run on one machine.

docs/deployment.md lists every variable. Nothing here asks the database or the network.
"""

import json
import os
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from whitenoise.compress import Compressor

from clinic import database, secret

BASE_DIR = Path(__file__).resolve().parent.parent


def flag(name, default=False):
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def number(name, default):
    return int(os.environ.get(name, default))


def words(name, default=""):
    return [word for word in os.environ.get(name, default).replace(",", " ").split() if word]


VAR = Path(os.environ.get("SHEYI_VAR", BASE_DIR / "var")).resolve()
SECRET_KEY = secret.key(VAR)
DEBUG = flag("SHEYI_DEBUG")
ALLOWED_HOSTS = words("SHEYI_ALLOWED_HOSTS", "localhost 127.0.0.1 [::1]")
CSRF_TRUSTED_ORIGINS = words("SHEYI_ORIGINS")
HTTPS = flag("SHEYI_HTTPS")

INSTALLED_APPS = [
    "clinic.apps.ClinicConfig",
    "emr.apps.EmrConfig",
    "messaging.apps.MessagingConfig",
    "contracts.apps.ContractsConfig",
    "maintenance.apps.MaintenanceConfig",
    "clinic.apps.StationDeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "bootstrap",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "simple_history",
    "pgtrigger",
    "import_export",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "clinic.middleware.RequestLog",
    "clinic.middleware.Probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages are a third of their size on lines of 2 Mbit/s; Django pads against guessing at secrets by length.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "clinic.middleware.CleanSession",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "clinic.middleware.ChosenLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clinic.middleware.IdleClock",
    "django_otp.middleware.OTPMiddleware",
    "clinic.middleware.SignInDuties",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic.middleware.CleanInput",
    "clinic.middleware.PatientPages",
    "clinic.middleware.DeniedTrail",
    "clinic.middleware.NoBlankPages",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.context.shell",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

DATABASES = database.databases(os.environ, VAR)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Signing in ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "clinic.backends.RoleBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_HASHERS = [
    "clinic.passwords.Argon2Light",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "clinic.passwords.CharacterClasses"},
    {"NAME": "clinic.passwords.NotUsedBefore"},
]
PASSWORD_HISTORY = number("SHEYI_PASSWORD_HISTORY", 5)
PASSWORD_DAYS = number("SHEYI_PASSWORD_DAYS", 90)
TOTP_REQUIRED_ROLES = words("SHEYI_TOTP_ROLES")
OTP_TOTP_ISSUER = "Sheyi"
IDLE_SECONDS = number("SHEYI_IDLE_SECONDS", 20 * 60)
IDLE_WRITE_SECONDS = number("SHEYI_IDLE_WRITE_SECONDS", 60)
TRUSTED_PROXIES = words("SHEYI_TRUSTED_PROXIES")

AXES_FAILURE_LIMIT = number("SHEYI_LOCKOUT_TRIES", 5)
AXES_COOLOFF_TIME = timedelta(seconds=number("SHEYI_LOCKOUT_SECONDS", 15 * 60))
# The pair: one mistyped password must not lock a whole centre behind one address, nor lock a doctor
# out from everywhere because somebody guesses at the name.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "clinic.address.client_address"
AXES_LOCKOUT_CALLABLE = "clinic.identity.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = number("SHEYI_SESSION_SECONDS", 12 * 3600)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "clinic.views.errors.csrf_failure"
if HTTPS:
    SECURE_SSL_REDIRECT = flag("SHEYI_HTTPS_REDIRECT")
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = number("SHEYI_HSTS_SECONDS", 30 * 86400)

# What a page may load: our own files and nothing else, no inline script or style.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Language and time -----------------------------------------------------------------------------------
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "clinic" / "locale"]
LANGUAGE_COOKIE_HTTPONLY = True

# Files -----------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "clinic.assets.Storage"},
}
MEDIA_ROOT = VAR / "media"
WHITENOISE_MAX_AGE = 3600
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Source maps are the larger half of Bootstrap and nobody here reads them.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
ANCHORS = Path(os.environ.get("SHEYI_ANCHORS", VAR / "anchors"))
# The keys that seal signed notes (docs/seal.md): a folder, or one private key from the environment.
SEAL_KEYS = Path(os.environ.get("SHEYI_SEAL_KEYS", VAR / "seal-keys"))
SEAL_KEY = os.environ.get("SHEYI_SEAL_KEY", "")

# Background work -------------------------------------------------------------------------------------
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
TIMETABLE_LEASE_SECONDS = number("SHEYI_TIMETABLE_LEASE_SECONDS", 30)

# Practice, as settings of the district ---------------------------------------------------------------
ACCESS_GRANT_HOURS = number("SHEYI_ACCESS_GRANT_HOURS", 24)
SENIOR_AGE = number("SHEYI_SENIOR_AGE", 65)
CHILD_AGE = number("SHEYI_CHILD_AGE", 6)
# Resident insurance: from this age it counts as old, below that one as young (一老一小).
INSURED_OLD_AGE = number("SHEYI_INSURED_OLD_AGE", 60)
INSURED_YOUNG_AGE = number("SHEYI_INSURED_YOUNG_AGE", 18)
ORDINARY_PRESCRIPTION_DAYS = 7
LONG_PRESCRIPTION_DAYS = 84
RETURN_VISIT_DAYS = number("SHEYI_RETURN_VISIT_DAYS", 90)
STANDING_HISTORY_DAYS = number("SHEYI_STANDING_HISTORY_DAYS", 180)
ARCHIVE_HOURS = number("SHEYI_ARCHIVE_HOURS", 24)
CHANGE_REQUEST_HOURS = number("SHEYI_CHANGE_REQUEST_HOURS", 72)
DRAFT_TEXT_DAYS = number("SHEYI_DRAFT_TEXT_DAYS", 30)
RETENTION_YEARS = number("SHEYI_RETENTION_YEARS", 15)
REFERRAL_DAYS = number("SHEYI_REFERRAL_DAYS", 14)
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# Insurance -------------------------------------------------------------------------------------------
# Our sandbox; real interfaces bring settings of their own (docs/insurance.md).
INSURANCE_SANDBOX_URL = os.environ.get("SHEYI_INSURANCE_SANDBOX_URL") or "http://127.0.0.1:8790"
INSURANCE_SECRET = os.environ.get("SHEYI_INSURANCE_SECRET") or secret.derived(SECRET_KEY, "insurance")
# One question to an interface, connecting included.
INSURANCE_SECONDS = number("SHEYI_INSURANCE_SECONDS", 5)
# A filing on its way for longer was left behind by its job.
INSURANCE_LATE_SECONDS = number("SHEYI_INSURANCE_LATE_SECONDS", 60)
# Without a number after so many days a referral counts as missing.
INSURANCE_MISSING_DAYS = number("SHEYI_INSURANCE_MISSING_DAYS", 3)
INSURANCE_COMPARE_DAYS = number("SHEYI_INSURANCE_COMPARE_DAYS", 90)

# Messages --------------------------------------------------------------------------------------------
# What holds until an institution's own practice says otherwise (messaging.practice).
SMS_SIGNATURE = os.environ.get("SHEYI_SMS_SIGNATURE") or "社区卫生"
SMS_QUIET_FROM = os.environ.get("SHEYI_SMS_QUIET_FROM") or "20:00"
SMS_QUIET_TO = os.environ.get("SHEYI_SMS_QUIET_TO") or "08:00"
SMS_APPROVAL_ABOVE = number("SHEYI_SMS_APPROVAL_ABOVE", 200)
SMS_RETRY_NEXT_DAY = flag("SHEYI_SMS_RETRY_NEXT_DAY", True)
# Purposes that want an explicit yes; a no is honoured for every purpose.
SMS_CONSENT_PURPOSES = words("SHEYI_SMS_CONSENT_PURPOSES")
# A dispatcher that was not heard of for so long is dead: its accounts and claims go to another.
SMS_LEASE_SECONDS = number("SHEYI_SMS_LEASE_SECONDS", 10)
# A message in doubt waits so long for a receipt before the campaign's policy decides.
SMS_DOUBT_MINUTES = number("SHEYI_SMS_DOUBT_MINUTES", 60)
# A number learnt to be another carrier's counts so long.
SMS_OVERRIDE_DAYS = number("SHEYI_SMS_OVERRIDE_DAYS", 365)
# Numbers of virtual operators go to the network that hosts them; else by the default route.
SMS_VIRTUAL_BY_HOST = flag("SHEYI_SMS_VIRTUAL_BY_HOST", True)
# The receipt hook lets in a time stamp that is off by so much.
SMS_HOOK_SECONDS = number("SHEYI_SMS_HOOK_SECONDS", 300)
# Where the simulated carriers listen on this machine (manage.py simulate_carriers), the port our own SGIP listener has
# for them, and the server whose receipt hook the simulated platform calls. clinic.start chooses free ports.
SMS_SIMULATORS_TOLD = "SHEYI_CARRIERS" in os.environ
SMS_SIMULATORS = {
    "cmpp3": 7890, "cmpp2": 7891, "sgip": 8801, "smgp": 8890, "smpp": 2775, "http": 8791, "control": 8792,
    "reports": 8802, "hook": "http://127.0.0.1:8000", "hook_host": "",
    **json.loads(os.environ.get("SHEYI_CARRIERS") or "{}"),
}  # fmt: skip

# Family-doctor agreements ----------------------------------------------------------------------------
# What holds until an institution's own practice says otherwise (contracts.practice); rules B4.
CONTRACTS_CAP_DOCTOR = number("SHEYI_CONTRACTS_CAP_DOCTOR", 2000)
CONTRACTS_CAP_TEAM = number("SHEYI_CONTRACTS_CAP_TEAM", 2000)
CONTRACTS_WARN_AT = number("SHEYI_CONTRACTS_WARN_AT", 90)
CONTRACTS_HARD_STOP = flag("SHEYI_CONTRACTS_HARD_STOP", True)
CONTRACTS_PENDING_DAYS = number("SHEYI_CONTRACTS_PENDING_DAYS", 30)
# Expiry lights, days before the end; each reminds once. The longest is also how early one may renew.
CONTRACTS_LIGHTS = sorted(map(int, words("SHEYI_CONTRACTS_LIGHTS", "90 60 30")), reverse=True)
# Bytes of a signature drawn on the screen, and of a scan.
CONTRACTS_DRAWN_BYTES = number("SHEYI_CONTRACTS_DRAWN_BYTES", 300_000)
CONTRACTS_SCAN_BYTES = number("SHEYI_CONTRACTS_SCAN_BYTES", 5_000_000)

# A fixed ticket that nobody objects to is closed after so many days.
MAINTENANCE_SILENCE_DAYS = number("SHEYI_MAINTENANCE_SILENCE_DAYS", 7)
# Pages learn of an upgrade's notice at most so many seconds late.
NOTICE_SECONDS = number("SHEYI_NOTICE_SECONDS", 15)
# Where the demo's lines are knocked at: the pages themselves.
DEMO_PORT = int(os.environ.get("PORT") or 8000)
# Which release this is, as its operators call it; it stands in backups.
RELEASE = os.environ.get("SHEYI_RELEASE", "")
# The file with the key of encrypted backups (32 bytes as base64); after so many hours without a good one somebody is told.
BACKUP_KEY = os.environ.get("SHEYI_BACKUP_KEY", "")
BACKUP_HOURS = number("SHEYI_BACKUP_HOURS", 26)
# Where pg_dump and pg_restore lie; empty: those that came with the packages.
POSTGRES_BINARIES = os.environ.get("SHEYI_POSTGRES_BINARIES", "")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "clinic.logs.JsonFormatter"}},
    "handlers": {
        "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}
    },
    "root": {"handlers": ["stdout"], "level": os.environ.get("SHEYI_LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # Says the same as our own request line, with the query string.
        "django.request": {"level": "CRITICAL"},
        "axes": {"level": "CRITICAL"},
        # The timetable fires every half minute; what fails is an error.
        "django_tasks": {"level": "WARNING"},
        "django_tasks_db": {"level": "WARNING"},
    },
}
