"""Queries as sites have them, of a model with JSON, durations, itself and a child: read again they are the same SQL,
and go on as the same SQL. Nothing is asked of a database.
"""

import datetime

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)  # fmt: skip
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat, Lower, Now, RowNumber, TruncMonth, Upper
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from troupe.snapshots import values

pytestmark = pytest.mark.django_db


class Doc(models.Model):
    data = models.JSONField(default=dict)
    at = models.DateTimeField(null=True)
    took = models.DurationField(null=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    owner = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING)  # there is no table
    price = models.DecimalField(max_digits=5, decimal_places=2, default=0)

    class Meta:
        app_label = "auth"
        managed = False
        # Or the system checks of other tests in this process ask a database that they may not use.
        required_db_features = {"supports_json_field"}


class Book(Doc):
    title = models.CharField(max_length=5)

    class Meta:
        app_label = "auth"


class Lowered(models.Transform):
    lookup_name = "lowered"
    function = "LOWER"


CharField.register_lookup(Lowered)
DOCS = Doc.objects
OF_OWNER = DOCS.filter(owner=OuterRef("pk"))
COUNTED = OF_OWNER.values("owner").annotate(c=Count("pk")).values("c")
DAY = datetime.timedelta(days=1)
QUERIES = {
    "json": lambda: DOCS.filter(data__a__b=1, data__has_key="x").order_by("data__a"),
    "key text": lambda: DOCS.annotate(x=KT("data__a")).filter(x="1"),
    "parts of dates": lambda: DOCS.filter(at__year=2024, at__month__gte=3),
    "by month": lambda: DOCS.annotate(m=TruncMonth("at")).values("m").annotate(n=Count("pk")).order_by("m"),
    "now": lambda: DOCS.filter(at__lt=Now()),
    "plus": lambda: DOCS.annotate(e=ExpressionWrapper(F("at") + DAY, output_field=DateTimeField())),
    "minus": lambda: DOCS.filter(at__gt=F("at") - F("took")),
    "itself": lambda: DOCS.filter(parent__parent__owner__username="x").exclude(children__price__gt=3),
    "child": lambda: Book.objects.filter(price__gt=1, title="x").select_related("owner"),
    "of its child": lambda: DOCS.filter(book__title="x"),
    "window": lambda: DOCS.annotate(r=Window(RowNumber(), partition_by=[F("owner")], order_by=F("price").desc())),
    "alias": lambda: DOCS.alias(n=Count("children")).filter(n__gt=1),
    "random": lambda: DOCS.order_by("?"),
    "filtered relation": lambda: User.objects.annotate(d=FilteredRelation("doc", condition=Q(doc__price__gt=1))).filter(
        d__price__lt=5
    ),
    "lazy user": lambda: DOCS.filter(owner=SimpleLazyObject(lambda: User(pk=5))),
    "or": lambda: DOCS.filter(price=1) | DOCS.filter(owner__username="x"),
    "and": lambda: DOCS.filter(price=1) & DOCS.filter(owner__username="x"),
    "own transform": lambda: User.objects.filter(username__lowered="x"),
    "function": lambda: User.objects.annotate(
        x=Func(F("username"), Value("a"), function="REPLACE", output_field=CharField())
    ),
    "cast": lambda: User.objects.annotate(x=Cast("pk", CharField(max_length=5))),
    "concat": lambda: User.objects.annotate(x=Concat("last_name", Value(" "), "username")).order_by(Upper("x")),
    "difference": lambda: User.objects.filter(pk__gt=1).difference(User.objects.filter(pk=3)).order_by("-pk")[:3],
    "union of values": lambda: User.objects.values_list("pk").union(Group.objects.values_list("pk")),
    "not exists": lambda: User.objects.filter(~Exists(OF_OWNER.filter(price__in=[1, 2]))),
    "subquery": lambda: User.objects.annotate(n=Subquery(COUNTED, output_field=IntegerField())),
    "only": lambda: (
        Permission.objects.filter(content_type__app_label="auth", user=5)
        .select_related("content_type")
        .only("name", "content_type__model")
    ),
    "values": lambda: User.objects.values("pk", low=Lower("username")),
    "nulls first": lambda: DOCS.order_by(F("at").asc(nulls_first=True), Coalesce("price", 0)),
    "regex": lambda: User.objects.filter(username__iregex=r"a.*"),
    "range": lambda: DOCS.filter(at__range=(timezone.now(), timezone.now())),
    "q": lambda: User.objects.filter(Q(groups__name="a") & (Q(is_staff=True) | Q(is_superuser=True)), ~Q(username="x")),
    "distinct count": lambda: Group.objects.filter(user__doc__price=1).annotate(n=Count("user", distinct=True)),
    "for update": lambda: DOCS.select_for_update(of=("self",), skip_locked=True),
    "case": lambda: DOCS.annotate(
        k=Case(
            When(Q(price__gt=1) & ~Q(owner=None), then=Value("x")),
            When(data__a=1, then=F("owner__username")),
            default=None,
        )
    ),
    "default of a sum": lambda: DOCS.annotate(s=Sum("price", filter=Q(price__gt=1), default=0)),
}


def sql(queryset):
    return queryset.query.get_compiler("default").as_sql()


@pytest.mark.parametrize("name", QUERIES)
def test_the_same_sql(name):
    queryset = QUERIES[name]()
    back = values.loads(values.dumps(queryset))
    assert sql(back) == sql(queryset) == sql(back.all())
    if not queryset.query.combinator:
        assert sql(back.filter(pk=1).order_by()) == sql(queryset.filter(pk=1).order_by())


@pytest.mark.parametrize("row", [Doc(price=3, data={"a": [1]}, took=DAY), Book(title="x"), Doc(parent_id=5)], ids=str)
def test_rows_that_are_not_saved(row):
    back = values.loads(values.dumps(row))
    names = [field.attname for field in row._meta.concrete_fields]
    assert [getattr(back, name) for name in names] == [getattr(row, name) for name in names]
