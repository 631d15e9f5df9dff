"""System checks about a page's request."""

import pytest
from django.contrib.auth.middleware import PersistentRemoteUserMiddleware, RemoteUserMiddleware

from troupe.request_checks import check_remote_user, check_request_attrs


class OwnHeader(RemoteUserMiddleware):
    header = "HTTP_X_FORWARDED_USER"


def test_attributes_that_the_request_has_by_itself(settings):
    settings.TROUPE = {"REQUEST_ATTRS": ["tenant", "user", "csp_nonce"]}
    (warning,) = check_request_attrs()
    assert warning.id == "troupe.W040" and "user, csp_nonce" in warning.msg
    for fine in ({"REQUEST_ATTRS": ["tenant"]}, {}, {"REQUEST_ATTRS": 5}, 5):
        settings.TROUPE = fine
        assert check_request_attrs() == []


@pytest.mark.parametrize(
    ("middleware", "warnings"), [(RemoteUserMiddleware, 1), (PersistentRemoteUserMiddleware, 0), (OwnHeader, 0)]
)
def test_users_of_a_server_variable(settings, middleware, warnings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "no.such.Middleware", f"{middleware.__module__}.{middleware.__name__}"]
    assert [warning.id for warning in check_remote_user()] == ["troupe.W041"] * warnings
