"""No pages: the tests are programs."""

urlpatterns = []
