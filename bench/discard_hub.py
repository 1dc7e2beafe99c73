"""A hub that throws away what clients send by Xet, as fast as Python reads it: what a real one is measured beside."""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0" * 40


class Discard(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rbufsize = 1 << 20

    def log_message(self, *_):
        pass

    def answer(self, body, **headers):
        text = json.dumps(body).encode()
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(text), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(text)

    def body(self, keep):
        """The request's body, or nothing of it."""
        kept, buffer = b"", memoryview(bytearray(1 << 20))
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        left = 0 if chunked else int(self.headers.get("Content-Length") or 0)
        while True:
            if chunked and left == 0:
                left = int(self.rfile.readline().split(b";")[0], 16)
            last = left == 0
            while left > 0:
                got = self.rfile.readinto(buffer[:min(left, len(buffer))])
                left -= got
                if keep:
                    kept += bytes(buffer[:got])
            if chunked:
                self.rfile.readline()
            if last or not chunked:
                return kept

    def do_GET(self):
        if "/xet-write-token/" in self.path:
            self.answer({"casUrl": self.server.address + "/xet", "accessToken": "token", "exp": int(time.time()) + 3600},
                        X_Xet_Cas_Url=self.server.address + "/xet", X_Xet_Access_Token="token",
                        X_Xet_Token_Expiration=int(time.time()) + 3600)
        elif "/chunks/" in self.path:
            self.send_error(404)
        else:
            self.answer({"id": "ada/bench", "sha": COMMIT, "siblings": []})

    def do_POST(self):
        if "/preupload/" in self.path:
            files = json.loads(self.body(keep=True))["files"]
            self.answer({"files": [{"path": one["path"], "uploadMode": "lfs", "shouldIgnore": False, "oid": None}
                                   for one in files], "commitOid": COMMIT})
        elif self.path.endswith("/info/lfs/objects/batch"):
            objects = json.loads(self.body(keep=True))["objects"]
            action = {"upload": {"href": self.server.address + "/api/models/ada/bench/xet-write-token/main", "header": {
                "X-Xet-Cas-Url": self.server.address + "/xet", "X-Xet-Access-Token": "token",
                "X-Xet-Token-Expiration": str(int(time.time()) + 3600)}}}
            self.answer({"transfer": "xet", "objects": [{**one, "authenticated": True, "actions": action}
                                                        for one in objects]})
        elif "/v2/" in self.path or "/xorb-grants/" in self.path:
            self.body(keep=False)
            self.send_error(404)  # as the hub that is measured answers
        else:
            self.body(keep=False)
            self.answer({"was_inserted": True} if "/xorbs/" in self.path else {"result": 1} if "/shards" in self.path else
                        {"success": True, "commitOid": COMMIT, "hookOutput": "",
                         "commitUrl": f"{self.server.address}/ada/bench/commit/{COMMIT}"})


def start():
    """A running one; .address says where, .shutdown() ends it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Discard)
    server.daemon_threads = True
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
