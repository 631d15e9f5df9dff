"""A threaded WSGI server on a free port of the loopback; it says which, and serves until SIGTERM."""

import socketserver
from wsgiref.simple_server import WSGIServer, make_server

from scenario.wsgi import application


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread a request, as most WSGI servers are set up."""

    daemon_threads = True


server = make_server("127.0.0.1", 0, application, Server)
print(f"running on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
