"""Querysets come back as their queries, and ask the same; with raw SQL, or what is gone, they are refused."""

import datetime

import django
import msgpack
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Prefetch, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Lower
from django.test.utils import CaptureQueriesContext

from troupe import _native_probes as probes
from troupe.snapshots import querysets, values

pytestmark = pytest.mark.django_db
DAY = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def there_and_back(value):
    return values.loads(values.dumps(value))


@pytest.fixture
def people():
    staff = Group.objects.create(name="staff")
    for number, name in enumerate(("ann", "bob", "cid")):
        user = User.objects.create(username=name, is_staff=number > 0, last_login=DAY if number else None)
        if number:
            user.groups.add(staff)


def _users():
    return User.objects.all()


QUERIES = {
    "all": _users,
    "none": lambda: User.objects.none(),
    "filter": lambda: User.objects.filter(username__startswith="a", last_login__isnull=True),
    "dates": lambda: User.objects.filter(last_login__gte=DAY, last_login__date=DAY.date()),
    "exclude": lambda: User.objects.exclude(last_login=None).exclude(username="cid"),
    "joins": lambda: User.objects.filter(groups__name="staff").filter(groups__permissions=None),
    "q": lambda: User.objects.filter(Q(username="ann") | ~Q(groups__name="staff") & Q(pk__in=[1, 2])),
    "order": lambda: User.objects.order_by("-username", F("last_login").desc(nulls_last=True)),
    "slice": lambda: User.objects.order_by("pk")[1:3],
    "distinct": lambda: User.objects.filter(groups__isnull=False).distinct().reverse(),
    "annotate": lambda: User.objects.annotate(
        n=Count("groups", filter=Q(is_staff=True)), low=Lower("username")
    ).filter(n__gt=0),
    "case": lambda: User.objects.annotate(
        k=Case(When(is_staff=True, then=1), default=Value(0), output_field=IntegerField())
    ),
    "exists": lambda: User.objects.filter(Exists(Group.objects.filter(user=OuterRef("pk"), name="staff"))),
    "subquery": lambda: User.objects.annotate(
        g=Coalesce(Subquery(Group.objects.filter(user=OuterRef("pk")).values("name")[:1]), Value("-"))
    ),
    "in a queryset": lambda: User.objects.filter(groups__in=Group.objects.filter(name="staff")),
    "values": lambda: User.objects.values("username", "groups__name"),
    "values_list": lambda: User.objects.order_by("pk").values_list("username", flat=True),
    "named": lambda: User.objects.values_list("pk", "username", named=True),
    "grouped": lambda: User.objects.values("is_staff").annotate(n=Count("pk"), top=models.Max("username")),
    "aggregate over": lambda: User.objects.annotate(n=Count("groups")).values("n").annotate(s=Sum("pk")),
    "only": lambda: User.objects.only("username"),
    "defer": lambda: User.objects.defer("email", "password"),
    "select_related": lambda: Permission.objects.select_related("content_type").order_by("pk")[:3],
    "prefetch": lambda: User.objects.prefetch_related(
        "groups", Prefetch("user_permissions", Permission.objects.order_by("-pk"), to_attr="p")
    ),
    "union": lambda: User.objects.filter(username="ann").union(User.objects.filter(pk=2)).order_by("username"),
    "dates()": lambda: User.objects.datetimes("last_login", "day"),
    "using": lambda: User.objects.using("default").select_for_update(),
    "an instance": lambda: Permission.objects.filter(content_type=ContentType.objects.first()),
    "related": lambda: Group.objects.get().user_set.filter(is_staff=True),
    "f": lambda: User.objects.filter(pk__lt=F("pk") + 1),
}  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_there_and_back(name, people):
    queryset = QUERIES[name]()
    for back in (there_and_back(queryset), there_and_back(there_and_back(queryset))):
        assert back._result_cache is None and type(back) is type(queryset)
        with CaptureQueriesContext(connection) as asked:
            expected = list(queryset.all() if not queryset.query.is_sliced else queryset._chain())
        with CaptureQueriesContext(connection) as asked_again:
            rows = list(back)
        assert [query["sql"] for query in asked_again] == [query["sql"] for query in asked]
        assert rows == expected
    if not queryset.query.is_sliced and not queryset.query.combinator:
        assert list(there_and_back(queryset).filter(pk=-1)) == list(queryset.filter(pk=-1))  # it goes on


def test_where_it_is():
    queryset = User.objects.filter(is_staff=True)
    back = probes.unpack(probes.pack("it", {"rows": [queryset], "again": queryset}))
    assert back["rows"][0] is back["again"]
    assert str(values.loads(values.dumps([queryset]))[0].query) == str(queryset.query)


def test_it_is_written_once():
    queryset = User.objects.all()
    packed = values.pack(queryset)
    assert values.pack(queryset)[1] is packed[1]
    assert len(packed[1]) < 300


class PrefixQuerySet(models.QuerySet):
    def named(self):
        return self.filter(name="staff")


class Prefixed(Group):
    things = PrefixQuerySet.as_manager()

    class Meta:
        proxy = True
        app_label = "auth"


def test_of_a_class_of_its_own(people):
    back = there_and_back(Prefixed.things.filter(pk__gt=0))
    assert type(back) is PrefixQuerySet and back.named().count() == 1 and type(back.get()) is Prefixed


def test_managers(people):
    staff = Group.objects.get()
    assert there_and_back(User.objects) == User.objects
    assert there_and_back(staff.user_set).count() == 2
    assert there_and_back(User.objects.get(username="bob").groups).get() == staff


def plain_of(queryset):
    return msgpack.unpackb(msgpack.unpackb(values.pack(queryset)[1])[2])


def signed(body, key):
    return msgpack.packb([list(django.VERSION[:3]), querysets.sign(body, key), body])


def tried(plain):
    return values.unpack(values.QUERYSET, signed(msgpack.packb(plain), settings.SECRET_KEY))


def replaced(plain, old, new):
    if plain == old:
        return new
    return [replaced(part, old, new) for part in plain] if isinstance(plain, list) else plain


def test_what_is_gone_or_never_was():
    plain = plain_of(User.objects.filter(username="ann"))
    assert tried(plain).model is User
    for old, new in (
        ("auth_user", "auth_people"), ("username", "nickname"), ("auth.User", "auth.Person"), ("Exact", "Nothing"),
        ("django.db.models.lookups", "subprocess"), ("QuerySet", "RawQuerySet"),
    ):  # fmt: skip
        with pytest.raises((ValueError, LookupError, AttributeError, FieldDoesNotExist)):
            tried(replaced(plain, old, new))


def test_no_sql_comes_along():
    for cls in (["django.db.models.expressions", "RawSQL"], ["django.db.models.sql.where", "ExtraWhere"]):
        plain = replaced(plain_of(User.objects.filter(username="ann")), "django.db.models.lookups", cls[0])
        with pytest.raises((ValueError, AttributeError)):
            tried(replaced(plain, "Exact", cls[1]))
    plain = plain_of(User.objects.order_by("pk"))
    query = plain[4]
    for name in ("extra_tables", "extra_order_by", "extra"):
        plain[4] = [*query, name, ["tuple", "x"]]
        with pytest.raises(ValueError, match="SQL of its own"):
            tried(plain)


def test_only_the_project_says_what_a_query_is(settings):
    function = plain_of(User.objects.annotate(low=Lower("username")))
    told = replaced(function, "is_summary", "template")
    told = replaced(told, False, "(SELECT password FROM auth_user)")
    with pytest.raises(ValueError, match="another SECRET_KEY"):
        values.unpack(values.QUERYSET, signed(msgpack.packb(told), "guessed"))
    for unsigned in (b"", None, "x", 1):
        with pytest.raises(ValueError, match="another SECRET_KEY"):
            values.unpack(values.QUERYSET, msgpack.packb([list(django.VERSION[:3]), unsigned, msgpack.packb(told)]))
    data, old = values.pack(User.objects.all())[1], settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(ValueError, match="another SECRET_KEY"):
        values.unpack(values.QUERYSET, data)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert values.unpack(values.QUERYSET, data).model is User


def test_deep_and_endless():
    for depth in (300, 900, 100_000):
        deep = b"\x92\xa4list" * depth + b"\x90"
        body = b"\x97" + b"".join(map(msgpack.packb, plain_of(User.objects.all())[:4])) + deep + b"\x80\xc0"
        with pytest.raises((ValueError, RecursionError)):
            values.unpack(values.QUERYSET, signed(body, settings.SECRET_KEY))
