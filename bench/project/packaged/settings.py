"""Settings of a site that uses template packages.

Environment: PACKAGED_DB (an SQLite file), PACKAGED_BACKEND ("django": the stock engine renders; otherwise Troupe's),
PACKAGED_COMPONENTS (not empty: django-components is installed), TROUPE_FRONT.
"""

import os
from pathlib import Path

from django.middleware import csrf

csrf._mask_cipher_secret = lambda secret: secret * 2  # or each rendering has another token, and none equals another

STOCK = os.environ.get("PACKAGED_BACKEND") == "django"
BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "for-benchmarks-only"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
ROOT_URLCONF = "packaged.urls"
STATIC_URL = "/static/"
USE_TZ = True
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
LOGIN_URL = "/admin/login/"

INSTALLED_APPS = [
    "wagtail.users",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_tables2",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "channels",
    "troupe",
    "packaged",
]
# It replaces Template.render(), and live pages have no slots then: it is there for its own pages only.
WITH_COMPONENTS = bool(os.environ.get("PACKAGED_COMPONENTS"))
if WITH_COMPONENTS:
    INSTALLED_APPS.append("django_components")
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "NAME": "django",
        "BACKEND": "django.template.backends.django.DjangoTemplates" if STOCK else "troupe.template.TroupeTemplates",
        "OPTIONS": {
            "loaders": [("django.template.loaders.cached.Loader", LOADERS)],
            "builtins": ["django_components.templatetags.component_tags"] if WITH_COMPONENTS else [],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
if not STOCK:
    FORM_RENDERER = "troupe.template.FormRenderer"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["PACKAGED_DB"],
        "OPTIONS": {"timeout": 30},
    }
}
_LABELS = ["wagtailcore", *(f"wagtail{name}" for name in ("admin", "search", "images", "docs", "users"))]
_LABELS += [name.rpartition(".")[2] for name in INSTALLED_APPS]
MIGRATION_MODULES = dict.fromkeys(_LABELS)  # tables are made as the models are
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = str(Path(os.environ["PACKAGED_DB"]).parent / "media")
WAGTAIL_SITE_NAME = "Packaged"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1"
WAGTAIL_ENABLE_UPDATE_CHECK = False
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "django_tables2/bootstrap5.html"
TROUPE = {"BROKER": os.environ.get("TROUPE_FRONT", "inproc://")}
