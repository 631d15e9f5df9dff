"""A project whose databases are one PostgreSQL, by an alias for each way to keep connections. Each connection's
application_name is its alias.

Environment: TROUPE_FRONT, PG_FOLDER (the server's socket), PG_ATOMIC=1 (ATOMIC_REQUESTS).
"""

import os

import django

SECRET_KEY = "the tests' own key, which signs nothing that matters"
ROOT_URLCONF = "pg.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["channels", "troupe", "shop"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASE_ROUTERS = ["shop.models.Router"]
TROUPE = {"BROKER": os.environ["TROUPE_FRONT"]}


def database(alias, name="postgres", options=None, **more):
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": "troupe",
        "HOST": os.environ["PG_FOLDER"],
        "OPTIONS": {"application_name": alias, **(options or {})},
        **more,
    }


ATOMIC = os.environ.get("PG_ATOMIC") == "1"
DATABASES = {
    "default": database("default", ATOMIC_REQUESTS=ATOMIC),
    "second": database("second", "second", ATOMIC_REQUESTS=ATOMIC),
}
for age in (0, 60, None):
    for checked in ("", "_checked"):
        alias = f"age_{age}{checked}"
        DATABASES[alias] = database(alias, CONN_MAX_AGE=age, CONN_HEALTH_CHECKS=bool(checked))
if django.VERSION >= (5, 1):
    DATABASES["pooled"] = database("pooled", options={"pool": {"min_size": 1, "max_size": 2, "timeout": 60}})
