#!/usr/bin/env python3
"""Files of any size go through `bothy serve` in little memory. Needs BOTHY; 3 GB with BOTHY_LONG_TESTS, else 200 MB."""
import hashlib
import http.client
import json
import os
import random
import sys
import tempfile
import urllib.parse
from pathlib import Path

from harness import NotRun, finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
from plain_client import PlainClient  # noqa: E402
from server import BOTHY, Server  # noqa: E402

SIZE = (3000 if os.environ.get("BOTHY_LONG_TESTS") else 200) << 20
GROWS_BY = 64 << 20


def pieces():
    made = random.Random(7)
    for _ in range(SIZE >> 20):
        yield made.randbytes(1 << 20)


def connection(address):
    parts = urllib.parse.urlsplit(address)
    return http.client.HTTPConnection(parts.netloc, timeout=300), parts.path + "?" * bool(parts.query) + parts.query


def test_a_large_file_goes_up_and_comes_down_in_little_memory():
    if b"__asan_init" in Path(BOTHY).read_bytes():
        raise NotRun("the address sanitizer keeps what was freed")
    whole = hashlib.sha256()
    for piece in pieces():
        whole.update(piece)
    oid = whole.hexdigest()
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        try:
            client = PlainClient(server, 1_000_000)
            client.request("POST", "/api/repos/create", name="large", organization="ada")
            client.push("ada/large", 0)  # threads, caches and the database have been used once
            idle = server.forget_most_resident()

            batch = json.loads(client.request("POST", "/ada/large.git/info/lfs/objects/batch", operation="upload",
                                              transfers=["basic"], objects=[{"oid": oid, "size": SIZE}]))
            sending, target = connection(batch["objects"][0]["actions"]["upload"]["href"])
            sending.request("PUT", target, pieces(), {"Content-Length": str(SIZE)})
            answer = sending.getresponse()
            assert answer.status == 200, answer.read()
            up = server.most_resident() - idle
            assert up < GROWS_BY, f"{up >> 20} MiB more than the idle server while {SIZE >> 20} MiB came"

            lines = [{"key": "header", "value": {"summary": "large", "description": ""}},
                     {"key": "lfsFile", "value": {"path": "large.bin", "algo": "sha256", "oid": oid, "size": SIZE}}]
            client.request("POST", "/api/models/ada/large/commit/main", "\n".join(map(json.dumps, lines)).encode())
            idle = server.forget_most_resident()
            fetching, target = connection(server.address + "/ada/large/resolve/main/large.bin")
            fetching.request("GET", target)
            came, received = fetching.getresponse(), hashlib.sha256()
            while piece := came.read(1 << 20):
                received.update(piece)
            assert received.hexdigest() == oid
            down = server.most_resident() - idle
            assert down < GROWS_BY, f"{down >> 20} MiB more than the idle server while {SIZE >> 20} MiB went"
            print(f"{SIZE >> 20} MiB: {up / 2**20:.1f} MiB more while they came, {down / 2**20:.1f} MiB while they went")
        finally:
            server.stop()


finish(run_functions(globals(), "HubMemory"))
