"""Ordinary Django views around the live ones."""

from django.contrib.auth import get_user_model, login, logout, update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import render


def plain(request):
    """A page without anything live."""
    return HttpResponse("plain")


def log_in(request, name):
    """Log somebody in, without asking for a password."""
    user = get_user_model().objects.get(username=name)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse(f"hello {name}")


def change_password(request, text):
    """Change one's own password, and stay logged in."""
    request.user.set_password(text)
    request.user.save()
    update_session_auth_hash(request, request.user)
    return HttpResponse("changed")


def log_out(request):
    """Log out whoever asks."""
    logout(request)
    return HttpResponse("goodbye")


def twice(request):
    """Two views of one class in an ordinary page."""
    return render(request, "house/twice.html")


def embed_redirects(request):
    """A view inside a page whose mount() redirects."""
    return render(request, "house/embed_redirects.html")
