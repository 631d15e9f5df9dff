"""Says in what environment it runs."""

import locale
import sys

from troupe import LiveView


class Where(LiveView):
    """A page of facts."""

    template_string = "<title>where</title><main dj-root><pre>{{ argv }} {{ module }} {{ encoding }}</pre></main>"

    def mount(self, request):
        try:
            import only_in_user_site

            self.module = only_in_user_site.NAME
        except ModuleNotFoundError:
            self.module = "missing"
        self.argv = " ".join(sys.argv)
        self.encoding = locale.getpreferredencoding(False)
