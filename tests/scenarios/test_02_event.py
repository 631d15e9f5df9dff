"""A page joins, an event becomes a patch."""


def test_join_does_not_send_the_page_again(visitor):
    with visitor.open("/counter/5/") as page:
        joined = page.reconnect()
        assert joined["fresh"] is False
        assert "html" not in joined["views"][0]


def test_event_becomes_a_patch(visitor):
    with visitor.open("/counter/5/") as page:
        version = page.versions[0]
        number = page.post("increment")
        frame = page.answer_to(number)
        assert frame["v"] == page.numbers[0]
        assert frame["a"] == number == 1
        assert frame["s"] == version + 1
        assert frame["d"] == {"2": "6"}  # the text of <output>, and nothing else
        assert page.root() == "<div dj-root><h1>counter</h1><output>6</output></div>"


def test_event_that_changes_nothing_sends_no_html(visitor):
    with visitor.open("/counter/5/") as page:
        frame = page.event("add", {"by": 0})
        assert "d" not in frame
        assert frame["s"] == 1 or frame["s"] == page.versions[0]
        assert ">6<" in page.shows("increment")


def test_values_of_all_json_types_arrive(visitor):
    with visitor.open("/counter/0/") as page:
        values = [1, 1.5, True, None, "ä€😀", [1, [2]], {"a": {"b": []}}]
        html = page.shows("say", {"text": values})
        assert "ä€😀" in html and "{&#x27;a&#x27;: {&#x27;b&#x27;: []}}" in html


def test_what_a_person_writes_is_escaped(visitor):
    with visitor.open("/counter/0/") as page:
        assert "&lt;script&gt;" in page.shows("say", {"text": "<script>alert(1)</script>"})


def test_ping_and_refresh(visitor):
    with visitor.open("/counter/7/") as page:
        page.send(t="ping")
        assert page.receive() == {"t": "pong"}
        page.send(t="refresh", v=page.views[0])
        frame = page.receive()
        assert frame["v"] == page.numbers[0] and ">7<" in frame["d"]["0"]["h"]


def test_many_events_in_a_row_are_answered_in_order(visitor):
    with visitor.open("/counter/0/") as page:
        numbers = [page.post("increment") for _ in range(8)]
        frames = [page.answer_to(number) for number in numbers]
        assert [frame["a"] for frame in frames] == numbers
        assert ">8<" in page.root()
        assert page.unasked == []


def test_patch_of_a_document_is_its_root_only(visitor):
    with visitor.open("/paper/") as page:
        assert page.shows("increment") == '<main dj-root class="paper"><output>1</output></main>'
