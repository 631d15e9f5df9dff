"""A site as it is broken here. Its environment: TROUPE_FRONT, FAULTS_DB, FAULTS_CLOCK, FAULTS_TRACE."""

import os

from faulted import clock

clock.install(os.environ.get("FAULTS_CLOCK"))

SECRET_KEY = "for breaking things only"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "faulted.urls"
ASGI_APPLICATION = "faulted.asgi.application"
STATIC_URL = "/static/"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "troupe",
    "faulted",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("FAULTS_DB", "/nonexistent")}}
TROUPE = {"BROKER": os.environ.get("TROUPE_FRONT", "")}
