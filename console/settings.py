"""Django's settings. Two sizes, one code: what differs comes from the environment (`console/environment.py`)."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url
from cryptography.fernet import Fernet
from django.utils.translation import gettext_lazy as _

from console import broker
from console.environment import ROOT, Environment, load_or_create
from console.mailserver import read_mail_url, sender_at

env = Environment()
BASE_DIR = ROOT
DATA_DIR: Path = env.data_dir.resolve()
KEYS_DIR = DATA_DIR / "keys"

SECRET_KEY = env.secret_key or load_or_create(KEYS_DIR / "secret-key")
SEALING_KEYS = [key for key in env.sealing_keys.split(",") if key] or load_or_create(
    KEYS_DIR / "sealing-keys", lambda: Fernet.generate_key().decode()
).split()
DEBUG = env.debug
ALLOWED_HOSTS = env.allowed_hosts.split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in env.trusted_origins.split(",") if origin]
PUBLIC_URL = env.public_url or f"http://{env.host}:{env.port}"
SEED = env.seed
ALLOW_PRIVATE_PLATFORMS = env.allow_private_platforms
ALLOW_PRIVATE_WEBHOOKS = env.allow_private_webhooks
PLATFORM_CALL_SECONDS, PLATFORM_MAX_BODY_MB = env.platform_call_seconds, env.platform_max_body_mb

INSTALLED_APPS = [
    "console",  # the lower floor first: an app's ready() builds on what those below have registered
    "platforms",
    "unions",
    "chains",
    "unfold.apps.BasicAppConfig",
    "console.adminapp.SupportConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]

MIDDLEWARE = [
    "console.figures.Counted",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.middleware.Discretion",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "console.middleware.SoundRequest",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "console.middleware.UserLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
AUTH_USER_MODEL = "console.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- data -----------------------------------------------------------------------------------------------------------

SQLITE_URL = f"sqlite:///{DATA_DIR / 'console.sqlite3'}"
DATABASES = {"default": dj_database_url.parse(env.database_url or SQLITE_URL, conn_max_age=60)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets readers read while one writes; IMMEDIATE takes the write lock at BEGIN, so two writers queue
    # instead of one of them failing half-way (docs.djangoproject.com, "Database is locked errors").
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }

# --- work -----------------------------------------------------------------------------------------------------------
# Celery and its broker carry nudges only: every promise is a row, and a sweep repeats what a lost message forgot.

CELERY_BROKER_URL = env.broker_url or f"{broker.SCHEME}://localhost"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_SERIALIZER = "json"
# Three queues, so that neither observing many chains nor a receiver that is slow to answer ever holds up what people
# wait for, nor the other way round.
CELERY_TASK_DEFAULT_QUEUE = "observe"
CELERY_TASK_ROUTES = {
    "console.run_step": {"queue": "flows"},
    "console.sweep": {"queue": "flows"},
    "console.deliver": {"queue": "deliver"},
    "console.forget_deliveries": {"queue": "deliver"},
}
if CELERY_BROKER_URL.startswith(broker.SCHEME):
    BROKER_DIR = DATA_DIR / "broker"
    for folder in ("messages", "processed", "control"):
        (BROKER_DIR / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "processed_folder": str(BROKER_DIR / "processed"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.01,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60, "socket_timeout": 5, "socket_connect_timeout": 5}

FLOW_LEASE_SECONDS = 90
CELERY_TASK_TIME_LIMIT = FLOW_LEASE_SECONDS - 5  # a step that hangs is ended before another worker may claim it
FLOW_SWEEP_SECONDS = 1.0
FLOW_MAX_ATTEMPTS = 8
CERTIFICATE_WARNING_DAYS = tuple(sorted({int(each) for each in env.certificate_warning_days.split(",")}, reverse=True))
PROPOSAL_DAYS = env.proposal_days
PROPOSAL_REMINDER_HOURS = env.proposal_reminder_hours
RECONCILE_MINUTES = env.reconcile_minutes  # between comparisons of what platforms have with the records; 0: on demand
KEEP_LOG_DAYS = env.keep_log_days  # lines of the runtime log, of flows that have ended; 0 keeps all
KEEP_IDEMPOTENCY_DAYS = env.keep_idempotency_days  # of flows that have ended; 0 keeps all
QUOTA_NODES, QUOTA_CHAINS = env.quota_nodes, env.quota_chains  # of a new resource space; 0: no limit

# --- applications ---------------------------------------------------------------------------------------------------

APPLICATIONS_DIR = Path(env.applications_dir).resolve() if env.applications_dir else None
APPLICATIONS_AT_ONCE = env.applications_at_once
APPLICATIONS_ENGINE = env.applications_engine
APPLICATIONS_ENGINE_TLS = Path(env.applications_engine_tls).resolve() if env.applications_engine_tls else None
APPLICATIONS_REGISTRY_AUTH = Path(env.applications_registry_auth) if env.applications_registry_auth else None

# --- native drivers -------------------------------------------------------------------------------------------------

EVM_IMAGES = {
    "ethereum": env.evm_image_ethereum,
    "quorum": env.evm_image_quorum,
    "besu": env.evm_image_besu,
}
EVM_IMAGE_ARCHIVES = Path(env.evm_image_archives) if env.evm_image_archives else DATA_DIR / "images"
EVM_BLOCK_SECONDS = env.evm_block_seconds
EVM_NODE_MEMORY = {kernel: env.for_kernel("evm_node_memory_mb", kernel) * 2**20 for kernel in EVM_IMAGES}
EVM_NODE_CPUS = {kernel: env.for_kernel("evm_node_cpus", kernel) for kernel in EVM_IMAGES}
EVM_P2P_PORT = env.evm_p2p_port
EVM_RPC_PORT = env.evm_rpc_port

# --- telling people -------------------------------------------------------------------------------------------------

_mail = read_mail_url(env.email_url, data_dir=DATA_DIR, sender=sender_at(PUBLIC_URL))
MAIL_ENABLED = _mail.enabled
EMAIL_BACKEND = _mail.backend
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls
EMAIL_FILE_PATH = _mail.folder or None
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _mail.sender

# How long to wait before each further attempt; one more attempt than there are pauses, then a delivery is given up.
DELIVERY_PAUSES = (5, 30, 120, 600, 1800, 7200, 18000)
DELIVERY_SWEEP_SECONDS = 5.0
DELIVERY_DAYS = 30  # the log of deliveries is kept for so long
WEBHOOK_PAUSE_AFTER = 10  # failed attempts in a row, each after a longer pause
WEBHOOKS_PER_OWNER = 20

# --- people ---------------------------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "console:login"
LOGIN_REDIRECT_URL = "console:dashboard"
LOGOUT_REDIRECT_URL = "console:login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_NAME = "concord_session"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SESSION_COOKIE_SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.trusted_proxies else None
CSRF_FAILURE_VIEW = "console.handlers.csrf_failure"
CONTENT_SECURITY_POLICY = {  # the admin site and the API's documentation widen it for themselves
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes; a platform's API file may have 2 MB, nothing may have more

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # served from the source tree; production collects into STATIC_ROOT and a CDN or proxy

# --- REST -----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "console.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "console.api.authentication.TokenScopeAllows",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["console.api.parsers.SoundJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "console.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "console.api.queries.KnownParameters",
        "django_filters.rest_framework.DjangoFilterBackend",
        "console.api.queries.StrictOrdering",
    ],
    "DEFAULT_SCHEMA_CLASS": "console.api.schema.ConsoleSchema",
    "EXCEPTION_HANDLER": "console.api.problems.handle",
    "DEFAULT_THROTTLE_RATES": {"registrations": env.rate_registrations, "tokens": env.rate_tokens},
    "NUM_PROXIES": env.trusted_proxies,  # whose X-Forwarded-For is believed; otherwise anybody evades the limits
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Concord",
    "DESCRIPTION": "One REST API for the consortium blockchains of every platform.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Opened part by part: Swagger UI stops half-way when it is to draw some 140 operations at once.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "defaultModelsExpandDepth": 0},
    "REDOC_DIST": "SIDECAR",
    "GET_MOCK_REQUEST": "console.api.schema.reader",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "console.api.schema.without_stutter",
    ],
    "ENUM_NAME_OVERRIDES": {
        f"{name}Enum": f"{floor}.models.{name}"
        for floor, names in {
            "console": ("FlowState", "StepState", "DecisionChoice", "WebhookState", "DeliveryState"),
            "platforms": ("PlatformKind", "PlatformState", "Health"),
            "unions": (
                "SpaceKind",
                "UnionState",
                "MemberState",
                "RegistrationState",
                "ProposalKind",
                "ProposalState",
                "DriftKind",
                "DriftState",
            ),
            "chains": (
                "ChainState",
                "ContractState",
                "VersionState",
                "NodeState",
                "InstallationState",
                "ReportState",
                "FindingState",
                "FindingSeverity",
                "ApplicationHealth",
            ),
        }.items()
        for name in names
    },
}

UNFOLD = {"SITE_TITLE": "Concord", "SITE_HEADER": _("Concord support"), "SITE_URL": "/"}

# --- words to operators ---------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "console.logs.JsonLines"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json" if env.log_json else "line"}},
    "root": {"handlers": ["stderr"], "level": env.log_level},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},  # a line for every tick and step says nothing
        "celery.app.trace": {"level": "WARNING"},
    },
}

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
