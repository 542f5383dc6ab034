"""Django's admin over the library. Its own tables, for sessions and people, are in PEER_FOLDER."""

import os
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings


class LibraryRouter:
    """Recordings are read where Callytics keeps them."""

    def db_for_read(self, model: Any, **_hints: Any) -> str | None:
        """Return the database of a query."""
        return "library" if model._meta.app_label == "library" else None


def _library(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path[1:],
        "USER": parts.username,
        "HOST": parts.hostname,
        "PORT": parts.port,
        "CONN_MAX_AGE": 600,
        "OPTIONS": {"options": f"-c statement_timeout={os.environ['PEER_PATIENCE_MS']}"},
    }


_CONTRIB = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions")]
settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    STATIC_URL="/static/",
    INSTALLED_APPS=[*_CONTRIB, "django.contrib.messages", "tests.bench.peers.library"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{os.environ['PEER_FOLDER']}/django.db",
        },
        "library": _library(os.environ["DATABASE_URL"]),
    },
    DATABASE_ROUTERS=[f"{__name__}.LibraryRouter"],
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402

urlpatterns = [path("admin/", admin.site.urls)]
call_command("migrate", verbosity=0)
if not User.objects.filter(username="ada").exists():
    User.objects.create_superuser("ada", password="benchmark")
app = get_wsgi_application()
