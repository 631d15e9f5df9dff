"""URLs of the views that behave, and of those that do not."""

from django.urls import path
from house import bad, kept, pages, pushes, slots, stuck, views

urlpatterns = [
    path("plain/", pages.plain),
    path("login/<str:name>/", pages.log_in),
    path("logout/", pages.log_out),
    path("twice/", pages.twice),
    path("embed-redirects/", pages.embed_redirects),
    path("counter/<int:start>/", views.Counter.as_view(), name="counter"),
    path("titled/", views.Counter.as_view(title="from as_view"), name="titled"),
    path("paper/", views.Paper.as_view()),
    path("where/", views.Where.as_view()),
    path("gated/", views.Gated.as_view()),
    path("facts/<slug:what>/", views.Facts.as_view(), name="facts"),
    path("form/", views.Form.as_view()),
    path("members/", views.Members.as_view()),
    path("rows/", views.Rows.as_view()),
    path("redirects/", views.Redirects.as_view()),
    path("missing/", views.Missing.as_view()),
    path("denied/", views.Denied.as_view()),
    path("remembers/", views.Remembers.as_view()),
    path("reloaded/", views.Reloaded.as_view()),
    path("ledger/", slots.Ledger.as_view()),
    path("vault/", slots.Vault.as_view()),
    path("history/", kept.History.as_view()),
    path("everything/", kept.Everything.as_view()),
    path("locked/", kept.Locked.as_view()),
    path("token/", kept.Token.as_view()),
    path("versioned/", kept.Versioned.as_view()),
    path("rebuilt/", kept.Rebuilt.as_view()),
    path("stuck/", stuck.Stuck.as_view()),
    path("ticks-stuck/", stuck.Ticks.as_view()),
    path("crashes-in-mount/", stuck.CrashesInMount.as_view()),
    path("crashes-in-join/", stuck.CrashesInJoin.as_view()),
    path("ticking/", pushes.Ticking.as_view()),
    path("ticking-later/", pushes.TickingLater.as_view()),
    path("stumbling/", pushes.Stumbling.as_view()),
    path("dawdling/", pushes.Dawdling.as_view()),
    path("listening/", pushes.Listening.as_view()),
]
urlpatterns += [path(f"bad/{cls.__name__}/", cls.as_view()) for cls in bad.VIEWS]
