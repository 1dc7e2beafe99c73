#!/usr/bin/env python3
"""`bothy backup` beside a server that is pushed to, and `bothy restore`. Needs BOTHY."""
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from harness import finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
from plain_client import PlainClient  # noqa: E402
from server import BOTHY, Server  # noqa: E402

REPOSITORY = "ada/demo"
SIZE = 3_000_000  # of the large file of each push
STOPPED = 8  # backups that are ended before they are done


def bothy(*arguments):
    return subprocess.run([BOTHY, *map(str, arguments)], capture_output=True, text=True)


def done(*arguments):
    """What it says as JSON."""
    ended = bothy(*arguments, "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


class Place:
    """A server with a repository, a folder of backups, and where a hub is restored to."""

    def __init__(self, root):
        self.data, self.backups, self.restored = root / "data", root / "backups", root / "restored"
        self.server = Server(self.data)
        self.hub = PlainClient(self.server, SIZE)
        self.acknowledged = {}
        self.hub.request("POST", "/api/repos/create", name="demo", organization="ada")

    def push(self):
        number = len(self.acknowledged)
        self.acknowledged[number] = self.hub.push(REPOSITORY, number)

    def back_up(self, *options):
        return done("backup", self.backups, "--data", self.data, *options)

    def snapshots(self):
        """Complete ones and others."""
        return sorted(p.name for p in (self.backups / "snapshots").iterdir())

    def complete(self):
        return [name for name in self.snapshots() if not name.endswith(".part")]

    def check_restored(self, acknowledged):
        """All that had been acknowledged is there, whole; what is there is removed again."""
        report = done("restore", self.backups, "--data", self.restored)
        assert report["problems"] == report["repaired"] == 0, report
        doctor = bothy("doctor", "--data", self.restored, "--json")
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        server = Server(self.restored, tokens=self.server.tokens)
        try:
            pushed = PlainClient(server, SIZE).check(REPOSITORY, acknowledged)
            # And it goes on as ever.
            PlainClient(server, SIZE).push(REPOSITORY, 10_000)
        finally:
            server.kill()
        shutil.rmtree(self.restored)
        return pushed


@contextmanager
def place():
    with tempfile.TemporaryDirectory() as root:
        made = Place(Path(root))
        try:
            yield made
        finally:
            made.server.kill()


def test_a_backup_beside_pushes_has_what_was_acknowledged_before():
    with place() as at:
        at.push()
        stop = threading.Event()

        def push_until_stopped():
            while not stop.is_set():
                at.push()

        pusher = threading.Thread(target=push_until_stopped)
        pusher.start()
        try:
            for _ in range(3):
                before = dict(at.acknowledged)
                made = at.back_up()
        finally:
            stop.set()
            pusher.join()
        assert made["repositories"] == 1 and made["missing"] == [], made
        pushed = at.check_restored(before)
        print(f"{len(before)} pushes before the last backup, {len(at.acknowledged)} in all, {len(pushed)} restored")
        first = done("backup", at.backups, "--list")[0]["snapshot"]
        done("restore", at.backups, "--data", at.restored, "--snapshot", first)


def test_the_next_backup_stores_only_what_is_new():
    with place() as at:
        for _ in range(4):
            at.push()
        first = at.back_up()
        assert first["new_bytes"] == first["bytes"] > 4 * SIZE, first
        at.push()
        second = at.back_up()
        database = (at.backups / "snapshots" / second["snapshot"] / "bothy.db").stat().st_size
        assert SIZE < second["new_bytes"] < SIZE + database + 20_000, (second, database)
        assert at.back_up("--keep", 1)["removed_snapshots"] == 2
        assert len(at.snapshots()) == 1
        at.check_restored(at.acknowledged)


def test_a_backup_that_is_killed_or_interrupted_leaves_no_snapshot():
    chance = random.Random(1)
    with place() as at:
        for _ in range(6):
            at.push()
        started = time.monotonic()
        at.back_up()
        takes = time.monotonic() - started
        stopped = 0
        for number in range(STOPPED):
            at.push()
            before = at.complete()
            process = subprocess.Popen([BOTHY, "backup", at.backups, "--data", at.data], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0, takes))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL if number % 2 else signal.SIGINT)
            if process.wait(60) == 0:
                assert len(at.complete()) == len(before) + 1
                continue
            stopped += 1
            # Unless the end came after the snapshot got its name, nothing is new; and all that is there is readable.
            assert len(at.complete()) - len(before) in (0, 1)
            assert at.complete() == [snapshot["snapshot"] for snapshot in done("backup", at.backups, "--list")]
        made = at.back_up()
        assert at.snapshots() == [s["snapshot"] for s in done("backup", at.backups, "--list")]
        assert at.snapshots()[-1] == made["snapshot"]
        print(f"of {STOPPED} backups {stopped} were ended before they were done")
        at.check_restored(at.acknowledged)


def test_a_missing_blob_is_named_and_nothing_is_left():
    with place() as at:
        at.push()
        at.back_up()
        blob = next(p for p in (at.backups / "blobs").rglob("*") if p.is_file())
        blob.unlink()
        ended = bothy("restore", at.backups, "--data", at.restored)
        assert ended.returncode != 0 and blob.name in ended.stderr, ended
        assert [p.name for p in at.backups.parent.iterdir() if p.name.startswith("restored")] == []
        # The server still has it, so the next backup brings it again.
        at.back_up()
        at.check_restored(at.acknowledged)


finish(run_functions(globals(), "Backup"))
