"""What travels when a page changes: slots, and only to those who may see them."""

import json


def chunks_of(page, *hashes, view=0):
    """{hash: chunk} of those that the server gives for these hashes, or for all that the view has used."""
    page.send(t="refresh", v=page.views[view], c=list(hashes))
    frame = page.wait_for(lambda frame: frame.get("v") == page.numbers[view])
    assert "d" not in frame
    return dict(frame.get("c", ()))


def hashes_of(page, joined, view=0):
    """The hashes that a joined page was told."""
    return joined["views"][view]["k"]


def opened(visitor, path):
    """(page, its `joined`)."""
    page = visitor.open(path)
    return page, page.reconnect()


def test_one_cell_costs_one_cell(visitor):
    page, joined = opened(visitor, "/ledger/")
    chunks = chunks_of(page, *hashes_of(page, joined))
    assert len(chunks) == 2 and "<tr" in chunks[hashes_of(page, joined)[1]]["h"]
    for _ in range(12):  # so that numbers have two digits
        frame = page.event("count", {"row": 617})
    assert frame["d"] and len(json.dumps(frame, separators=(",", ":"))) <= 64
    (lists,) = frame["d"].values()
    assert lists == {"r": {"617": {"2": "12"}}}
    page.connection.close()


def test_rows_move_and_go_without_their_markup(visitor):
    page, _ = opened(visitor, "/ledger/")
    swapped = json.dumps(page.event("swap"))
    assert "Item" not in swapped and len(swapped) < 150
    (lists,) = page.event("remove_first")["d"].values()
    assert lists == {"-": ["1"]}
    assert page.root().index("Item 999<") < page.root().index("Item 3<") < page.root().index("Item 2<")
    page.connection.close()


def test_nothing_changed_says_nothing(visitor):
    page, _ = opened(visitor, "/ledger/")
    frame = page.event("nothing")
    assert "d" not in frame and frame["s"] == page.versions[0]
    page.connection.close()


def test_a_page_that_is_up_to_date_joins_without_html(visitor):
    page, joined = opened(visitor, "/ledger/")
    (entry,) = joined["views"]
    assert "html" not in entry and entry["k"] and entry["i"] == page.numbers[0]
    page.connection.close()


def test_what_a_person_may_not_see_is_never_sent(visitor):
    knowing, joined = opened(visitor, "/vault/")
    assert "Behind" not in knowing.html and "Behind" not in json.dumps(joined)
    assert "Behind" not in json.dumps(chunks_of(knowing, *hashes_of(knowing, joined)))
    frame = knowing.event("say", {"word": "sesame"})
    ((secret, chunk),) = frame["c"]
    assert "Behind the door" in chunk["h"] and "gold" in json.dumps(frame["d"])
    assert secret in chunks_of(knowing, secret)

    guessing, joined = opened(visitor, "/vault/")
    assert secret not in hashes_of(guessing, joined)
    assert chunks_of(guessing, secret) == {}
    assert "c" not in guessing.event("say", {"word": "please"})
    assert chunks_of(guessing, secret, *hashes_of(guessing, joined)).keys() == set(hashes_of(guessing, joined))
    knowing.connection.close()
    guessing.connection.close()


def test_a_part_that_is_shown_again_is_not_sent_again(visitor):
    page, _ = opened(visitor, "/vault/")
    assert "c" in page.event("say", {"word": "sesame"})
    hidden = page.event("say", {"word": "no"})
    assert "c" not in hidden and {"b": None} in hidden["d"].values()
    assert "d" not in page.event("fill", {"content": "silver"})  # nobody sees it
    shown = page.event("say", {"word": "sesame"})
    assert "c" not in shown and "silver" in json.dumps(shown["d"])
    page.connection.close()


def test_a_page_that_cannot_use_slots_gets_whole_roots(visitor):
    page, _ = opened(visitor, "/ledger/")
    page.send(t="refresh", v=page.views[0], w=True)
    frame = page.wait_for(lambda frame: frame.get("v") == page.numbers[0])
    assert "<main dj-root" in frame["d"]["0"]["h"] and "k" not in frame
    change = page.event("count", {"row": 3})["d"]["0"]["d"]  # what differs from the root that it has
    assert len(json.dumps(change)) < 100 and '"1"' in json.dumps(change), change
    page.send(t="refresh", v=page.views[0], w=True)
    frame = page.wait_for(lambda frame: "h" in frame.get("d", {}).get("0", {}))
    assert "<td>1</td><td>Item 3<" in frame["d"]["0"]["h"] and "<!--$" not in frame["d"]["0"]["h"]
    page.connection.close()


def test_after_a_template_failed_the_whole_root_comes(fleet, visitor):
    page, _ = opened(visitor, "/vault/")
    failed = page.event("shatter")
    assert failed["t"] == "failed"
    fleet.expect_log("in splinters")
    frame = page.event("shatter", {"whole": True})
    assert "<p>2 tries</p>" in frame["d"]["0"]["h"]
    assert "0" not in page.event("say", {"word": "no"})["d"]
    page.connection.close()


def test_frames_of_two_views_do_not_mix(visitor):
    with visitor.open("/twice/") as page:
        assert sorted(page.numbers) == [0, 1]
        for view in (0, 1, 1, 0):
            assert page.event("increment", view=view)["v"] == page.numbers[view]
