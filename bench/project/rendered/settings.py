"""Settings of what bench/render.py renders: the same templates by Django's backend and by ours."""

from pathlib import Path

SECRET_KEY = "for-benchmarks-only"
DEBUG = False
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rendered",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
OPTIONS = {
    "context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ],
}
DIRS = [Path(__file__).resolve().parent / "templates"]
BACKENDS = {
    "django": "django.template.backends.django.DjangoTemplates",
    "troupe": "troupe.template.TroupeTemplates",
}
TEMPLATES = [
    {"NAME": name, "BACKEND": path, "DIRS": DIRS, "APP_DIRS": True, "OPTIONS": OPTIONS}
    for name, path in BACKENDS.items()
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
ROOT_URLCONF = "rendered.urls"
STATIC_URL = "/static/"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
