"""Settings: one file for every mode; what differs comes from the environment (see `env.py`)."""

from datetime import timedelta
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy

from config import env as outside
from config.schedule import celery_schedule

env = outside.load()
BASE_DIR = outside.BASE_DIR
DATA_DIR = outside.DATA_DIR
VERSION = "0.4.0"

# --- Safety ---------------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = outside.strong_secret(env.str("SECRET_KEY", default=""), name="SECRET_KEY", debug=DEBUG)
MASTER_KEY_FILE = env.str("MASTER_KEY_FILE", default=str(DATA_DIR / "master.key"))
MASTER_KEY = env.str("MASTER_KEY", default="")
MASTER_PASSPHRASE = env.str("MASTER_PASSPHRASE", default="")
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
LIVE_PUBLIC_URL = env.str("LIVE_PUBLIC_URL", default="ws://localhost:8001").rstrip("/")
LISTENS_ON_LOOPBACK = env.str("LISTEN_HOST", default="127.0.0.1") in {"127.0.0.1", "localhost", "::1"}
ALLOW_PLAIN_HTTP = env.bool("ALLOW_PLAIN_HTTP", default=False)
REGISTRATION = env.str("REGISTRATION", default="")
FEED = env.str("FEED", default="simulator")
FEED_INSTRUMENTS = env.int("FEED_INSTRUMENTS", default=500)
WITH_ML = env.bool("WITH_ML", default=True)
EXCHANGE_BASE_URLS = env.json("EXCHANGE_BASE_URLS", default={})
ALLOW_KEYS_THAT_WITHDRAW = env.bool("ALLOW_KEYS_THAT_WITHDRAW", default=False)
OFFER_DEMO_KEYS = env.bool("OFFER_DEMO_KEYS", default=True)
PRIVATE_HOSTS_ALLOWED = env.list("PRIVATE_HOSTS_ALLOWED", default=[])
METRICS_ALLOWED_ADDRESSES = env.list("METRICS_ALLOWED_ADDRESSES", default=[])

_public = urlsplit(PUBLIC_URL)
PUBLIC_HOST = _public.hostname or "localhost"
_https = _public.scheme == "https"
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[*LOOPBACK_HOSTS, _public.hostname or "localhost"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^health(/|$)", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "coinsphere_session"
CSRF_COOKIE_NAME = "coinsphere_csrf"
SESSION_COOKIE_AGE = 30 * 24 * 3600
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, LIVE_PUBLIC_URL],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
        "worker-src": [SELF],
    }
}

# --- The house ------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "channels",
    "csp",
    "django_htmx",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "apps.core",
    "apps.simulator",
    "apps.accounts",
    "apps.markets",
    "apps.analytics",
    "apps.portfolios",
    "apps.sentiment",
    "apps.predictions",
    "apps.signals",
    "apps.exchanges",
    "apps.wallets",
    "apps.strategies",
    "apps.alerts",
    "apps.dashboard",
    "apps.live",
    "apps.operations",
]
MIDDLEWARE = [
    "apps.core.middleware.MetricsMiddleware",
    "apps.core.middleware.RequestIdMiddleware",
    "apps.core.middleware.PackingMiddleware",
    # Programs turn off here: an address of the API asked with a token goes straight to its view.
    "apps.core.middleware.ProgramsMiddleware",
    "apps.portfolios.middleware.SharedPagesMiddleware",
    "apps.operations.middleware.NamelessHealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.middleware.OutageMiddleware",
    "apps.core.middleware.PolicyMiddleware",
    "apps.core.middleware.AdminPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "apps.accounts.middleware.AccountPagesMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
PROGRAM_PATHS = ("/api/v1/",)
SESSION_PATHS = ("/api/v1/auth/",)  # sign-in and its neighbors touch sessions, so they keep the long way
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
SWITCHBOARD = "config.switchboard.LINES"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
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
                "apps.accounts.context_processors.preferences",
                "apps.dashboard.context_processors.look",
            ],
        },
    },
]

# --- Services -------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://coinsphere@127.0.0.1:5432/coinsphere")}
DATABASES["default"] |= {"CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
DATABASES["default"]["ENGINE"] = "apps.core.database"
# A server that is gone without a word, its machine or the line to it, is noticed within half a minute.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 3,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    **DATABASES["default"].get("OPTIONS", {}),
}
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {"BACKEND": "apps.core.cache.SteadyCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "coinsphere:cache"}
}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"Coinsphere <coinsphere@{_public.hostname}>")

# --- Background work ------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BEAT_SCHEDULER = "config.beat:SlotScheduler"
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TIMEZONE = "UTC"
JOB_LEASE_SECONDS = 30.0
CELERY_BEAT_SCHEDULE = celery_schedule()

# --- People ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["apps.accounts.gateways.hashing.CappedArgon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "display_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "apps.accounts.gateways.breach_list.BreachListValidator"},
    {"NAME": "apps.accounts.gateways.present_password.PresentPasswordValidator"},
]
PASSWORD_BREACH_LIST = env.str("PASSWORD_BREACH_LIST", default="")
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "add_email": "apps.accounts.forms.AddEmailForm",
    "change_password": "apps.accounts.forms.ChangePasswordForm",
    "login": "apps.accounts.forms.LoginForm",
    "reauthenticate": "apps.accounts.forms.PasswordProofForm",
    "reset_password": "apps.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "apps.accounts.forms.ResetPasswordKeyForm",
    "signup": "apps.accounts.forms.SignupForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme or "http"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {"login_failed": None, "signup": None, "reset_password": None}
MFA_ADAPTER = "apps.accounts.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "activate_totp": "apps.accounts.forms.ActivateTotpForm",
    "add_webauthn": "apps.accounts.forms.AddPasskeyForm",
    "authenticate": "apps.accounts.forms.AuthenticateForm",
    "reauthenticate": "apps.accounts.forms.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Coinsphere"
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False

# --- REST -----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["apps.core.api.formats.FastJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.formats.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.authentication.TokenAuthentication",
        "apps.accounts.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "apps.accounts.permissions.ScopeAllows",
    ],
    "DEFAULT_SCHEMA_CLASS": "apps.core.api.schema.ApiSchema",
    "DEFAULT_THROTTLE_CLASSES": ["apps.core.api.throttles.CallerThrottle"],
    "EXCEPTION_HANDLER": "apps.core.api.problems.handle",
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.pagination.CursorPages",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.core.api.formats.OneFormat",
    "DEFAULT_METADATA_CLASS": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
ENABLED_PROCESSES = env.list("ENABLED_PROCESSES", default=["web", "live", "worker", "beat"])
STARTED_AT = env.str("STARTED_AT", default="")
API_RATES = {
    "anon": env.str("API_RATE_ANON", default="1200/m"),
    "user": env.str("API_RATE_USER", default="60000/m"),
    "keys": env.str("API_RATE_KEYS", default="60/m"),
}
_jwt_private, _jwt_public = outside.jwt_keys(seed=env.str("JWT_SIGNING_SEED", default=""), secret_key=SECRET_KEY)
SIMPLE_JWT = {
    "ALGORITHM": "EdDSA",
    "SIGNING_KEY": _jwt_private,
    "VERIFYING_KEY": _jwt_public,
    "ISSUER": "coinsphere",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "LEEWAY": 10,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Coinsphere",
    "DESCRIPTION": "Everything the pages can do, for programs.",
    "VERSION": VERSION,
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "apps.accounts.models.people.Role",
        "AssetKindEnum": "apps.markets.models.catalogue.AssetKind",
        "InvitedRoleEnum": ["admin", "member", "viewer"],
        "UpOrDownEnum": ["ok", "down"],
        "WorkStateEnum": "apps.core.models.work.WorkState",
        "ProcessStateEnum": ["alive", "late", "missing"],
        "AccountKindEnum": "apps.portfolios.models.portfolios.AccountKind",
        "BatchKindEnum": "apps.portfolios.models.portfolios.BatchKind",
        "BatchStateEnum": "apps.portfolios.models.portfolios.BatchState",
        "ImportStateEnum": ["preview", "committed", "undone", "committing", "undoing"],
        "FrozenStateEnum": ["frozen", "unlocked", "replaced"],
        "ShareStateEnum": ["live", "expired", "revoked"],
        "SideEnum": ["in", "out"],
        "ConnectionStateEnum": ["active", "paused", "error", "revoked", "syncing"],
        "CoverageStateEnum": ["complete", "partial", "running"],
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
}

# --- Words and times ------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DISPLAY_TIME_ZONE = outside.time_zone(env.str("TIME_ZONE", default="UTC"))

# --- Files ----------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.storage.ModuleStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"

# --- Log ------------------------------------------------------------------------------------------------------------
LOG_FORMAT = env.str("LOG_FORMAT", default="text")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOGGING_CONFIG = "apps.core.logs.configure"
LOGGING = {"format": LOG_FORMAT, "level": LOG_LEVEL}

# --- Admin ----------------------------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Coinsphere",
    "SITE_HEADER": "Coinsphere",
    "SITE_URL": "/",
    "SITE_ICON": lambda _request: static("img/mark.svg"),
    "SHOW_HISTORY": False,
    "SIDEBAR": {"show_search": True, "show_all_applications": True, "navigation": []},
    "LOGIN": {"redirect_after": lambda _request: reverse_lazy("admin:index")},
}
