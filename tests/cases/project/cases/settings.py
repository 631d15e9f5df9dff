"""startproject's settings with Troupe added, as the guide has it. Each folder of tests/cases/sites is an app.

Environment: CASES_DB (an SQLite file), TROUPE_FRONT, CASES_SETTINGS (Python that is run at the end of this file).
"""

import os
from pathlib import Path

SITES = Path(__file__).resolve().parents[2] / "sites"

SECRET_KEY = "the cases' own key, which signs nothing that matters"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "cases.urls"
ASGI_APPLICATION = "cases.asgi.application"
WSGI_APPLICATION = "cases.wsgi.application"
STATIC_URL = "/static/"
STATICFILES_DIRS = [("npm", SITES.parents[1] / "js" / "node_modules")]
USE_TZ = True
USE_I18N = True
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "troupe",
    *sorted(folder.name for folder in SITES.iterdir() if (folder / "views.py").exists()),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SITES],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["CASES_DB"],
        "OPTIONS": {"timeout": 30},
    }
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
TROUPE = {"BROKER": os.environ["TROUPE_FRONT"]}

exec(os.environ.get("CASES_SETTINGS", ""))
