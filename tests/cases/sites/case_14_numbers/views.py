"""Numbers in attributes: exact, or refused."""

from troupe import LiveView, event_handler


class Ids(LiveView):
    """Shows what came."""

    template_name = "case_14_numbers/page.html"

    def mount(self, request):
        self.rows, self.got = [1234, 1234567890123456789], "-"

    @event_handler
    def delete(self, id):
        """By the attribute's suffix."""
        self.got = repr(id)

    @event_handler
    def hinted(self, id: int):
        """By the hint."""
        self.got = f"hinted {id!r}"

    @event_handler
    def move(self, id, column="", quick=False):
        """By position."""
        self.got = f"{id!r} {column} {quick!r}"
