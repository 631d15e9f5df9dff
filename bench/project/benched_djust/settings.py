"""Settings of the same counter in djust. Its limits are for one visitor an address: here all come from one."""

SECRET_KEY = "for-benchmarks-only"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "channels",
    "djust",
    "benched_djust",
]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ROOT_URLCONF = "benched_djust.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
USE_TZ = True
LIVEVIEW_CONFIG = {
    "hot_reload_auto_enable": False,
    "rate_limit": {"rate": 100000, "burst": 100000, "max_connections_per_ip": 1000, "reconnect_cooldown": 1},
}
DJUST_CONFIG = {"update_check": False}
