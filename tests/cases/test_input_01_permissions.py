"""A permission is what it is now, and not what it was when the page was opened. See sites/input_01_permissions."""

import pytest

WHO = "from django.contrib.auth.models import Permission, User\nuser = User.objects.get(username='ann')\n"
GIVE = WHO + "user.user_permissions.add(Permission.objects.get(codename='change_user'))\nprint(1)"
TAKE = {
    "denied": WHO + "user.user_permissions.clear()\nprint(1)",
    "denied anonymous": WHO + "User.objects.filter(pk=user.pk).update(is_active=False)\nprint(1)",
}


@pytest.mark.parametrize("expected", TAKE)
def test_what_is_taken_away_counts_from_the_next_event_on(make_fleet, browse, expected):
    fleet = make_fleet(settings="TROUPE['USER_CHECK_SECONDS'] = None")
    fleet.shell(GIVE)
    site = browse(fleet, log_in="ann")
    site.open("input_01_permissions/Guarded/")
    site.click("#go")
    site.wait_texts("i", ["allowed"])
    fleet.shell(TAKE[expected])
    site.click("#go")
    site.wait_texts("b", ["2"])
    assert site.texts("i") == [expected]
