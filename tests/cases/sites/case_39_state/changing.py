"""What a deploy changes: workers with CASE_39_DEPLOYED in their environment run the new code."""

import collections
import dataclasses
import enum
import os

from .models import Project, Removed

OLD_CODE = "CASE_39_DEPLOYED" not in os.environ

if OLD_CODE:

    @dataclasses.dataclass
    class Line:
        """Renamed."""

        title: str

    def by_title(line):
        """Gone."""

    class Rows(list):
        """Gone; a defaultdict makes them."""


class Status(enum.Enum):
    """One of its members goes."""

    OPEN = 1
    if OLD_CODE:
        HELD = 2


class Rights(enum.Flag):
    """One of its flags goes."""

    READ = 1
    if OLD_CODE:
        WRITE = 2


@dataclasses.dataclass
class Priced:
    """Gets a field without a default."""

    title: str = "tea"
    if not OLD_CODE:
        price: int = dataclasses.field(kw_only=True)


@dataclasses.dataclass
class Counted:
    """Gets a field with a default, and loses one."""

    title: str
    if OLD_CODE:
        note: str = "black"
    else:
        count: int = 1


Point = collections.namedtuple("Point", "x y" if OLD_CODE else "x y z")
Pair = collections.namedtuple("Pair", "title other" if OLD_CODE else "title")


def stored(model):
    return model.objects.create(title="tea")


GONE = {
    "class": lambda: Line("tea"),
    "nested": lambda: {"lines": [("tea", [Line("tea")])]},
    "member": lambda: Status.HELD,
    "flag": lambda: Rights.READ | Rights.WRITE,
    "new_field": lambda: Priced("tea"),
    "new_part": lambda: Point(1, 2),
    "function": lambda: by_title,
    "factory": lambda: collections.defaultdict(Rows),
    "model": lambda: stored(Removed),
    "queryset": lambda: Project.objects.filter(owner="ann"),
    "queryset_of_a_model": lambda: Removed.objects.all(),
}
KEPT = {
    "with_a_default": lambda: Counted("tea"),
    "a_part_less": lambda: Pair("tea", "milk"),
    "row": lambda: stored(Project),
    "rows": lambda: [stored(Project)],
    "unsaved": lambda: Project(title="tea"),
}
