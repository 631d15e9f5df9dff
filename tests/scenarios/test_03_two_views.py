"""Two views of one class, side by side in one page and in one session."""


def test_two_views_of_one_class_have_a_state_each(visitor):
    with visitor.open("/twice/") as page:
        assert len(set(page.views)) == 2
        assert ">101<" in page.shows("increment", view=1)
        assert ">2<" in page.shows("increment", view=0)
        assert ">102<" in page.shows("increment", view=1)


def test_both_are_kept_over_a_reconnect(visitor):
    with visitor.open("/twice/") as page:
        page.shows("increment", view=1)
        joined = page.reconnect()
        assert joined["fresh"] is False and len(joined["views"]) == 2
        assert all("html" not in view for view in joined["views"])
        assert ">102<" in page.shows("increment", view=1)
        assert ">2<" in page.shows("increment", view=0)


def test_mounting_again_makes_a_new_instance(client):
    first = client.mount("house.views.Counter", {"start": 1})
    second = client.mount("house.views.Counter", {"start": 50}, session=first.id)
    assert second.view != first.view
    assert ">2<" in first.event("increment").body["html"].decode()
    second.number = first.number
    assert ">51<" in second.event("increment").body["html"].decode()
    replaced = client.mount("house.views.Counter", {"start": 7}, session=first.id, view=first.view)
    assert replaced.view == first.view and replaced.number == 2
    assert ">8<" in replaced.event("increment").body["html"].decode()
    first.shutdown()


def test_unmount_drops_one_view(client):
    from troupe import wire

    first = client.mount("house.views.Counter", {"start": 1})
    second = client.mount("house.views.Counter", {"start": 50}, session=first.id)
    answer = client.ask(wire.UNMOUNT, {"view": first.view}, first.id, epoch=first.epoch)
    assert answer.kind == wire.UNMOUNTED
    assert first.event("increment").body["kind"] == "view_not_found"
    second.number = first.number
    assert second.event("increment").kind == wire.DONE
    again = client.ask(wire.UNMOUNT, {"view": first.view}, first.id, epoch=first.epoch)
    assert (again.kind, again.body["kind"]) == (wire.FAILED, "view_not_found")
    second.shutdown()


def test_views_in_a_session_are_limited(client):
    from troupe import wire

    first = client.mount("house.views.Counter")
    for _ in range(63):
        client.mount("house.views.Counter", session=first.id)
    answer = client.ask(wire.MOUNT, {"path": "house.views.Counter", "params": {}}, first.id)
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "params")
    assert "64" in answer.body["message"]
    assert first.event("increment").kind == wire.DONE
    first.shutdown()


def test_mount_that_fails_leaves_the_view_of_that_id_alone(fleet, client):
    from troupe import wire

    fleet.expect_reports(1, "house.bad.MountRaises")
    session = client.mount("house.views.Counter", {"start": 4})
    body = {"path": "house.bad.MountRaises", "params": {}, "view": session.view}
    assert client.ask(wire.MOUNT, body, session.id).kind == wire.FAILED
    assert ">5<" in session.event("increment").body["html"].decode()
    session.shutdown()
