"""Settings: two engines that differ in what an unknown name gives. `TEMPLATES_OF_CASE` holds the case's templates."""

SECRET_KEY = "a key for tests only, of a decent length"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = ["troupe", "random_site"]
ROOT_URLCONF = "random_site.urls"
DATABASES = {}
STATIC_URL = "/static/"
USE_TZ = True
USE_I18N = True
USE_L10N = True
TIME_ZONE = "Europe/Vienna"
LANGUAGE_CODE = "en"
TROUPE = {"BROKER": "inproc://", "VIEW_MODULES": ["subject"]}

TEMPLATES_OF_CASE = {}  # the engine of most cases
TEMPLATES_OF_INVALID = {}  # the one with string_if_invalid


def _engine(name, templates, **options):
    cached = ("django.template.loaders.cached.Loader", [("django.template.loaders.locmem.Loader", templates)])
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "NAME": name,
        "OPTIONS": {
            "loaders": [cached],
            "context_processors": ["random_site.tags.site", "django.template.context_processors.i18n"],
            "builtins": [
                "random_site.tags",
                "django.templatetags.i18n",
                "django.templatetags.l10n",
                "django.templatetags.tz",
                "django.templatetags.static",
            ],
            **options,
        },
    }


TEMPLATES = [
    _engine("plain", TEMPLATES_OF_CASE),
    _engine("invalid", TEMPLATES_OF_INVALID, string_if_invalid="INVALID<%s>"),
]
