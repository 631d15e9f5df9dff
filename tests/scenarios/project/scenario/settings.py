"""The scenarios' Django project. Its environment: TROUPE_FRONT, SCENARIO_DB, SCENARIO_DEBUG,
SCENARIO_ATOMIC, SCENARIO_POSTGRES, SCENARIO_MOUNT_TIMEOUT, SCENARIO_EVENT_RATE,
SCENARIO_USER_CHECK (seconds, or "never"), SCENARIO_SESSIONS (an engine),
SCENARIO_PROXIES (trusted ones, with commas between)."""

import os

SECRET_KEY = "the scenarios' own key, which signs nothing that matters"
DEBUG = os.environ.get("SCENARIO_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "scenario.urls"
ASGI_APPLICATION = "scenario.asgi.application"
USE_TZ = True
USE_I18N = True
LANGUAGE_CODE = "en"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "troupe",
    "house",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "scenario.middleware.place",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SCENARIO_DB"],
        "OPTIONS": {"timeout": 30},
        "ATOMIC_REQUESTS": os.environ.get("SCENARIO_ATOMIC") == "1",
    }
}
if "SCENARIO_POSTGRES" in os.environ:
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "troupe",
        "HOST": os.environ["SCENARIO_POSTGRES"],
        "CONN_MAX_AGE": None,
    }
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
if "SCENARIO_SESSIONS" in os.environ:
    SESSION_ENGINE = "django.contrib.sessions.backends." + os.environ["SCENARIO_SESSIONS"]
_USER_CHECK = os.environ.get("SCENARIO_USER_CHECK", "1")
TROUPE = {
    "BROKER": os.environ["TROUPE_FRONT"],
    "REQUEST_ATTRS": ["tenant"],
    "USER_CHECK_SECONDS": None if _USER_CHECK == "never" else float(_USER_CHECK),
    "TRUSTED_PROXIES": list(filter(None, os.environ.get("SCENARIO_PROXIES", "").split(","))),
    "EVENT_RATE": float(os.environ.get("SCENARIO_EVENT_RATE", "100")),
    "MOUNT_TIMEOUT": float(os.environ.get("SCENARIO_MOUNT_TIMEOUT", "8")),
}
