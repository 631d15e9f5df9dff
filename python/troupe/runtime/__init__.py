"""Inside a worker: what the C runtime calls to set Django up and to run turns. Never imports `web`."""
