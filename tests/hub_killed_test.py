#!/usr/bin/env python3
"""`bothy serve` is killed in the middle of pushes and started again: what it acknowledged is there. Needs BOTHY.

10 pushes; 200 with BOTHY_LONG_TESTS.
"""
import http.client
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness import finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
from plain_client import PlainClient  # noqa: E402
from server import BOTHY, Server  # noqa: E402

PUSHES = 200 if os.environ.get("BOTHY_LONG_TESTS") else 10
SIZE = 3_000_000


def test_what_was_acknowledged_is_there_after_a_kill():
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        hub, acknowledged, kills, repository = PlainClient(server, SIZE), {}, 0, "ada/killed"
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
            pushed = hub.check(repository, acknowledged)
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
