"""Django's side: pages over HTTP, the browser's socket, and the way to the sessions' owner. Never imports `runtime`."""
