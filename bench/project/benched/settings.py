"""Settings of the project that is measured: as a site in production has them, with nothing that it does not need."""

import os

SECRET_KEY = "for-benchmarks-only"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["channels", "troupe", "benched"]
MIDDLEWARE = ["benched.static.isolated"] if os.environ.get("BENCH_BROWSER") else []
ROOT_URLCONF = "benched.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True
STATIC_URL = "/static/"
TROUPE = {"BROKER": os.environ.get("TROUPE_FRONT", "")}
