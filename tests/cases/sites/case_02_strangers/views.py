from troupe import LiveView, event_handler


class Ads(LiveView):
    """A cookie banner in front of everything."""

    template_name = "case_02_strangers/ads.html"

    def mount(self, request):
        self.n = 0
        self.rows = ["b", "c", "a"]

    @event_handler
    def inc(self):
        self.n += 1
        self.rows = [*self.rows, f"r{self.n}"]


class Fields(Ads):
    """A password manager's icon behind the field."""

    template_name = "case_02_strangers/fields.html"


class Written(Ads):
    """document.write, what is put in between in scripts, without a <head>."""

    template_name = "case_02_strangers/written.html"


class Table(Ads):
    """A table that a script sorts, and pages, before the join."""

    template_name = "case_02_strangers/table.html"


class Elements(Ads):
    """A custom element with children of its own, and a dialog that a script moves to the end of <body>."""

    template_name = "case_02_strangers/elements.html"

