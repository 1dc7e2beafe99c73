"""A hub that is not quite the one behind it: for tests of clients that have to notice."""
import http.server
import threading
import urllib.error
import urllib.request


class ChangingProxy:
    """Stands before a hub: counts what passes, and lets `change(path, body)` change or cut it (body, cut)."""

    def __init__(self, hub, change=None):
        proxy = self
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                sent = self.rfile.read(length) if length else None
                proxy.asked.append((self.path, self.headers.get("Range")))
                request = urllib.request.Request(hub.address + self.path, data=sent, method=self.command,
                                                 headers=dict(self.headers.items()))
                try:
                    answer = urllib.request.urlopen(request)
                except urllib.error.HTTPError as error:
                    answer = error
                body = answer.read()
                changed, cut = change(self.path, body) if change else (body, False)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(changed)
                    if cut:
                        self.connection.shutdown(2)
                except OSError:
                    cut = True
                self.close_connection = cut

            do_POST = do_GET

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
