#!/usr/bin/env python3
"""Hostile input to `bothy serve`: answered 4xx, in bounded memory, and nothing of it is left. Needs BOTHY."""
import base64
import json
import socket
import sys
import tempfile
import urllib.request
from pathlib import Path

from harness import finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
from server import Server  # noqa: E402

# Bytes by which the server may have grown after what one test sends.
GROWS_BY = 96 << 20
ANSWERS_WITHIN = 30
TRAVERSALS = ("../escaped", "a/../../escaped", "/etc/escaped", "a//b", "./a", "a/.", "..", ".git/config", "a/.GIT/hooks/x",
              "a\\..\\..\\escaped", "a\0b", "a\nb", "\u202e/../x", "a" * 5000)


def exchange(data, parts=()):
    """The status that these bytes, and what is sent after them, are answered with. 0 where the connection just ends: who
    sends on after the answer may lose it to a reset."""
    with socket.create_connection(("127.0.0.1", server.port), ANSWERS_WITHIN) as connection:
        received = b""
        try:
            connection.sendall(data)
            for part in parts:
                connection.sendall(part)
        except OSError:
            pass  # it has heard enough; its answer may still be there
        try:
            while b"\r\n" not in received and (more := connection.recv(65536)):
                received += more
        except ConnectionError:
            pass
    return int(received.split(b" ", 2)[1]) if received.startswith(b"HTTP/1.1 ") else 0


def head(method, path, headers=(), token="ada"):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    if token:
        lines.append(f"Authorization: Bearer {server.tokens.get(token, token)}")
    return "\r\n".join([*lines, "", ""]).encode()


def request(method, path, body=b"", headers=(), token="ada"):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return exchange(head(method, path, [f"Content-Length: {len(body)}", *headers], token) + body)


def commit(*lines):
    body = "\n".join(map(json.dumps, [{"key": "header", "value": {"summary": "x", "description": ""}}, *lines]))
    return request("POST", "/api/models/ada/target/commit/main", body.encode(), ["Content-Type: application/x-ndjson"])


def refused(status):
    return 400 <= status < 500


def test_paths_that_lead_elsewhere_are_refused_in_every_field():
    content = {"content": base64.b64encode(b"x").decode(), "encoding": "base64"}
    oid = "0" * 64
    for path in TRAVERSALS:
        for line in ({"key": "file", "value": {"path": path, **content}},
                     {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": oid, "size": 1}},
                     {"key": "copyFile", "value": {"path": path, "srcPath": ".gitattributes", "srcRevision": "main"}},
                     {"key": "copyFile", "value": {"path": "x", "srcPath": path, "srcRevision": "main"}},
                     {"key": "deletedFile", "value": {"path": path}}):
            status = commit(line)
            assert refused(status), f"{status} for {line['key']} {path[:30]!r}"
        name = request("POST", "/api/repos/create", {"name": path, "organization": "ada"})
        assert refused(name), f"{name} for a repository {path[:30]!r}"
        moved = request("POST", "/api/repos/move", {"fromRepo": "ada/target", "toRepo": f"ada/{path}", "type": "model"})
        assert refused(moved), f"{moved} for a move to {path[:30]!r}"
        if path != "a/.GIT/hooks/x":
            branch = request("POST", "/api/models/ada/target/tag/main", {"tag": path})
            assert refused(branch), f"{branch} for a tag {path[:30]!r}"
    for path in ("/ada/target/resolve/main/../../../etc/passwd", "/ada/target/resolve/main/..%2f..%2f..%2fetc%2fpasswd",
                 "/ada/target/resolve/..%2f..%2f/x", "/..%2f..%2fetc/passwd", "/ada/target/resolve/main/%00",
                 "/ada/..%2ftarget/resolve/main/x", "/ada/target.git/../../bothy.db", "/ada/target/raw/main/%2e%2e/x"):
        assert refused(request("GET", path)), path


def test_requests_that_two_servers_would_read_differently_are_refused():
    for headers in (["Content-Length: 3", "Transfer-Encoding: chunked"], ["Content-Length: 3", "Content-Length: 4"],
                    ["Content-Length: -1"], ["Content-Length: 3x"], ["Transfer-Encoding: xchunked"],
                    ["Content-Length : 3"], ["Transfer-Encoding: chunked, identity"],
                    ["Content-Length: 99999999999999999999"]):
        status = exchange(head("POST", "/api/repos/create", headers) + b"0\r\n\r\n")
        assert refused(status) or status == 501, f"{status} for {headers}"
    for start in (b"GET / HTTP/9.9\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET /\r\n\r\n",
                  b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", b"GET / HTTP/1.1\r\n folded: x\r\n\r\n"):
        status = exchange(start)
        assert refused(status) or status == 505, f"{status} for {start!r}"


def test_headers_and_addresses_without_end_are_refused_in_bounded_memory():
    for start, part in ((head("GET", "/")[:-2] + b"X-Long: ", b"x" * 65536),
                        (head("GET", "/")[:-2], b"X-Many: 1\r\n" * 6000), (b"GET /", b"x" * 65536)):
        before = server.resident()
        status = exchange(start, (part for _ in range(256)))
        assert status == 0 or refused(status), status
        assert server.resident() - before < GROWS_BY


def test_bodies_without_end_are_refused_in_bounded_memory():
    line = json.dumps({"key": "deletedFile", "value": {"path": "x"}}).encode() + b"\n"
    chunk = line * 1000
    frame = f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"
    for path in ("/api/models/ada/target/commit/main", "/api/repos/create", "/api/models/ada/target/preupload/main",
                 "/ada/target.git/info/lfs/objects/batch", "/api/validate-yaml", "/oauth/token"):
        before = server.resident()
        status = exchange(head("POST", path, ["Transfer-Encoding: chunked", "Content-Type: application/json"]),
                          (frame for _ in range(1000)))
        assert status == 0 or refused(status), f"{status} for {path}"
        assert server.resident() - before < GROWS_BY, f"{(server.resident() - before) >> 20} MiB for {path}"


def test_nested_json_is_refused():
    for path in ("/api/repos/create", "/api/models/ada/target/preupload/main", "/ada/target.git/info/lfs/objects/batch",
                 "/api/models/ada/target/commit/main"):
        assert refused(request("POST", path, b"[" * 200_000)), path


def test_forged_tokens_are_refused():
    for token in ("hf_" + "a" * 34, "hf_", "x" * 10_000, "' or 1=1 --", server.tokens["ada"][:-1]):
        assert request("GET", "/api/whoami-v2", token=token) == 401, token[:40]
    for token in ("w-1-1.9999999999.AAAA", "", "w-1-1", "r-1-1.9999999999." + "A" * 43):
        for path in ("/xet/v1/shards", f"/xet/v1/xorbs/default/{'0' * 64}"):
            assert refused(request("POST", path, b"x", token=token)), (token, path)
    assert refused(request("GET", f"/xet/xorbs/{'0' * 64}?X-Expires=9999999999&signature=AAAA", token=""))


def test_what_is_corrupt_or_unknown_is_refused():
    oid = "1" * 64
    assert refused(commit({"key": "lfsFile", "value": {"path": "x", "algo": "sha256", "oid": oid, "size": 5}}))
    assert refused(commit({"key": "lfsFile", "value": {"path": "x", "algo": "sha256", "oid": "zz", "size": -5}}))
    assert refused(commit({"key": "file", "value": {"path": "x", "content": "!!!", "encoding": "base64"}}))
    assert refused(commit({"key": "nonsense", "value": {}}))
    assert refused(commit({"key": "file"}))


def test_slow_clients_do_not_keep_others_waiting():
    waiting = []
    for _ in range(200):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(b"POST /api/repos/create HTTP/1.1\r\nHost: x\r\nContent-Le")
        waiting.append(connection)
    assert request("GET", "/health") == 200
    for connection in waiting:
        connection.close()


def test_zz_nothing_is_left():
    files = json.load(urllib.request.urlopen(f"{server.address}/api/models/ada/target/tree/main"))
    assert [f["path"] for f in files] == [".gitattributes"]
    assert not list(Path("/etc").glob("escaped*")) and not list(Path(server.data).rglob("escaped*"))
    assert request("GET", "/health") == 200 and server.process.poll() is None


with tempfile.TemporaryDirectory() as folder:
    server = Server(folder)
    try:
        assert request("POST", "/api/repos/create", {"name": "target", "organization": "ada"}) == 200
        results = run_functions(globals(), "HubHostile")
    finally:
        server.kill()
finish(results)
