#!/usr/bin/env python3
"""The hub's database is locked by another program, or gone: clients are told to come again, and nothing is lost. Needs BOTHY."""
import json
import sqlite3
import subprocess
import sys
import tempfile
import urllib.error
from contextlib import contextmanager
from pathlib import Path

from harness import NotRun, finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
import postgresql  # noqa: E402
from plain_client import PlainClient  # noqa: E402
from server import BOTHY, Server  # noqa: E402

REPOSITORY = "ada/kept"


@contextmanager
def hub(database=""):
    """With a repository that has one push in it; in the end whole, and sound to `bothy doctor`."""
    with tempfile.TemporaryDirectory() as data:
        server = Server(data, database)
        try:
            client = PlainClient(server, 1_000_000)
            client.request("POST", "/api/repos/create", name="kept", organization="ada")
            client.push(REPOSITORY, 0)
            yield client
            assert server.process.poll() is None
            # The next try, and what was there before.
            client.push(REPOSITORY, 1)
            assert [c["title"] for c in client.commits(REPOSITORY)] == ["push 1", "push 0", "initial commit"]
            for number in (0, 1):
                client.check_pushed(REPOSITORY, number)
            assert server.stop() == 0
            doctor = subprocess.run([BOTHY, "doctor", "--data", data], capture_output=True, text=True, env=server.settings)
            assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        finally:
            server.kill()


def refusal(action):
    """Its status and reason."""
    try:
        action()
    except urllib.error.HTTPError as error:
        answer = json.load(error)
        return error.code, answer.get("error") or answer["message"]  # as git-lfs reads it
    raise AssertionError("it succeeded")


def test_writes_wait_for_a_lock_and_then_say_who_may_have_it():
    with hub() as client:
        database = Path(client.server.data, "bothy.db")
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        status, reason = refusal(lambda: client.push(REPOSITORY, 1))
        assert status == 503 and "another process holds the database's lock" in reason, (status, reason)
        # Who reads does not wait.
        client.check_pushed(REPOSITORY, 0)
        assert len(client.commits(REPOSITORY)) == 2
        other.execute("ROLLBACK")
        other.close()


def test_a_database_that_is_gone_is_found_again():
    if not postgresql.RESTART:
        raise NotRun("needs BOTHY_TEST_POSTGRESQL_RESTART")
    with hub(postgresql.new_database("hub_gone")) as client:
        postgresql.stop()
        try:
            for action in (lambda: client.push(REPOSITORY, 1), lambda: client.check_pushed(REPOSITORY, 0)):
                status, reason = refusal(action)
                assert status == 503 and reason, (status, reason)
            assert client.request("GET", "/health") == b"ok\n"
        finally:
            postgresql.start()


finish(run_functions(globals(), "HubDatabase"))
