#!/usr/bin/env python3
"""`bothy serve` is killed in the middle of pushes and started again: what it acknowledged is there. Needs BOTHY.

10 pushes; 200 with BOTHY_LONG_TESTS.
"""
import base64
import hashlib
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from harness import finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
from server import BOTHY, Server, made_bytes  # noqa: E402

PUSHES = 200 if os.environ.get("BOTHY_LONG_TESTS") else 10
SIZE = 3_000_000


class Hub:
    """What a client needs to push, in a few requests (git-lfs for the large file, then a commit)."""

    def __init__(self, server):
        self.server = server

    def request(self, method, address, data=None, headers=(), **json_body):
        if json_body:
            data = json.dumps(json_body).encode()
        address = address if address.startswith("http") else self.server.address + address
        headers = dict(headers) or {"Authorization": f"Bearer {self.server.tokens['ada']}",
                                    "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(address, data, headers, method=method), timeout=60) as answer:
            return answer.read()

    def push(self, repository, number):
        """A large and a small file in one commit; the commit's id."""
        large, small = made_bytes(SIZE, number), f"push {number}\n".encode()
        oid = hashlib.sha256(large).hexdigest()
        batch = json.loads(self.request("POST", f"/{repository}.git/info/lfs/objects/batch", operation="upload",
                                        transfers=["basic"], hash_algo="sha256", objects=[{"oid": oid, "size": SIZE}]))
        actions = batch["objects"][0].get("actions", {})
        for name, method, body in (("upload", "PUT", large),
                                   ("verify", "POST", json.dumps({"oid": oid, "size": SIZE}).encode())):
            if name in actions:
                self.request(method, actions[name]["href"], body, actions[name].get("header") or {"Accept": "*/*"})
        lines = [{"key": "header", "value": {"summary": f"push {number}", "description": ""}},
                 {"key": "file", "value": {"path": f"{number}.txt", "encoding": "base64",
                                           "content": base64.b64encode(small).decode()}},
                 {"key": "lfsFile", "value": {"path": f"{number}.bin", "algo": "sha256", "oid": oid, "size": SIZE}}]
        answer = self.request("POST", f"/api/models/{repository}/commit/main", "\n".join(map(json.dumps, lines)).encode())
        return json.loads(answer)["commitOid"]

    def commits(self, repository):
        """All of them, the newest first."""
        found = []
        while page := json.loads(self.request("GET", f"/api/models/{repository}/commits/main?limit=100&p={len(found) // 100}")):
            found += page
            if len(page) < 100:
                break
        return found


def check(hub, repository, acknowledged):
    """Every acknowledged commit, and every byte of what any commit has."""
    there = {commit["id"]: commit["title"] for commit in hub.commits(repository)}
    for number, commit in acknowledged.items():
        assert commit in there, f"push {number} was acknowledged as {commit}, which is not there"
    pushed = [int(title.split()[1]) for title in there.values() if title.startswith("push ")]
    for number in pushed:
        assert hub.request("GET", f"/{repository}/resolve/main/{number}.bin") == made_bytes(SIZE, number)
        assert hub.request("GET", f"/{repository}/resolve/main/{number}.txt") == f"push {number}\n".encode()
    return pushed


def test_what_was_acknowledged_is_there_after_a_kill():
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        hub, acknowledged, kills, repository = Hub(server), {}, 0, "ada/killed"
        try:
            hub.request("POST", "/api/repos/create", name="killed", organization="ada")
            started = time.monotonic()
            acknowledged[0] = hub.push(repository, 0)
            takes = time.monotonic() - started
            for number in range(1, PUSHES):
                # A server that has just started is slower than the one that was measured.
                timer = threading.Timer(chance.uniform(0, takes * 4), server.kill)
                timer.start()
                try:
                    acknowledged[number] = hub.push(repository, number)
                except (OSError, http.client.HTTPException):
                    kills += 1
                timer.cancel()
                timer.join()
                if server.process.poll() is not None:
                    server.start()
            pushed = check(hub, repository, acknowledged)
            assert kills and len(acknowledged) > 1, f"of {PUSHES} pushes {kills} were killed"
            # And one more push goes as ever.
            hub.push(repository, PUSHES)
            print(f"{PUSHES} pushes: {len(acknowledged)} acknowledged, {len(pushed)} there, {kills} killed before the answer")
            assert server.stop() == 0
            doctor = subprocess.run([BOTHY, "doctor", "--data", data, "--json"], capture_output=True, text=True)
            assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        finally:
            server.kill()


finish(run_functions(globals(), "HubKilled"))
