"""Attributes of the class, properties, state() and @computed in a template, as they change (djust-api, T4 and T5)."""


def test_properties_follow_what_they_are_made_of(site):
    site.open("djust_04_class_names/Todos/")
    site.wait(site.connected, "the page to join")
    assert site.texts("h1") == ["Todos"]
    assert site.texts("li") == ["t0", "t1", "t2", "t3"] and site.texts("b, i") == ["4", "4 left"]
    row = site.find("li:nth-child(3)")
    site.click("li:nth-child(2)")
    site.wait_texts("b, i", ["3", "3 left"])
    assert [text.split() for text in site.texts("li")] == [["t0"], ["t1", "done"], ["t2"], ["t3"]]
    site.click("#open")
    site.wait_texts("li", ["t0", "t2", "t3"])
    assert row.text == "t2"  # it kept its place in the page
    for _ in range(3):
        left = len(site.texts("li")) - 1
        site.click("li")
        site.wait_texts("b", [str(left)])
    site.wait_texts("li", ["nothing"])
    site.click("#all")
    site.wait(lambda: [text.split()[1:] for text in site.texts("li")] == [["done"]] * 4, "all rows")
