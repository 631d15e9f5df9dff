"""Django's decorators around a handler: those that want a request are refused when the class is made."""

import pytest
from django.contrib.auth import decorators as auth
from django.db import transaction
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables

from troupe import LiveView, event_handler


@pytest.mark.parametrize(
    "decorate",
    [
        lambda f: auth.login_required(event_handler(f)),
        lambda f: event_handler(auth.login_required(f)),
        lambda f: event_handler(auth.permission_required("auth.view_user")(f)),
        lambda f: event_handler(auth.user_passes_test(lambda user: user.is_staff)(f)),
        lambda f: method_decorator(auth.login_required)(event_handler(f)),
        lambda f: event_handler(method_decorator([auth.login_required])(f)),
    ],
)
def test_djangos_decorators_are_for_views(decorate):
    def remove(self):
        pass

    with pytest.raises(TypeError, match="Take login_required and permission_required of troupe.decorators"):
        type("Refused", (LiveView,), {"remove": decorate(remove)})


def test_other_decorators_are_taken():
    def remove(self):
        pass

    for decorate in (transaction.atomic, method_decorator(transaction.atomic), sensitive_variables("x")):
        type("Taken", (LiveView,), {"remove": event_handler(decorate(remove))})
