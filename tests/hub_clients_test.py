#!/usr/bin/env python3
"""Unmodified clients of Hugging Face against `bothy serve`. Needs BOTHY and what tools/fetch_clients installs.

Each run below is a script of tests/clients in a process that has one client, against a server of its own.
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from harness import NotRun, finish, not_run

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS / "clients"))
import postgresql  # noqa: E402
from server import Server  # noqa: E402
from small_disk import small_disk  # noqa: E402

CLIENTS = Path(os.environ.get("BOTHY_TEST_CLIENTS") or Path.home() / ".cache" / "bothy" / "clients")
NEWEST = "huggingface_hub-2.4.0"
OLDER = "huggingface_hub-0.36.0"
WITHOUT_XET = {"HF_HUB_DISABLE_XET": "1"}
JAVASCRIPT = "npm-huggingface-hub-2.17.5"
LIBRARIES = "transformers-5.24.0-datasets-5.2.0/site-packages"
# Seconds for the functions of one run: some clients try for ever.
ENDS_WITHIN = 400
# Each run: its script, the client's folder, and what is set for it.
RUNS = {
    "newest": ("hub.py", NEWEST, {}),
    "newest_without_xet": ("hub.py", NEWEST, WITHOUT_XET),
    "newest_alone": ("newest.py", NEWEST, {}),
    "older": ("hub.py", OLDER, {}),
    "older_without_xet": ("hub.py", OLDER, WITHOUT_XET),
    "older_alone": ("older.py", OLDER, {}),
    "older_alone_without_xet": ("older.py", OLDER, WITHOUT_XET),
    "command": ("command.py", NEWEST, {}),
    "libraries": ("libraries.py", LIBRARIES, {}),
    "javascript": ("javascript.py", JAVASCRIPT, {}),
    "git": ("git.py", NEWEST, {}),
    "interrupted": ("interrupted.py", NEWEST, {}),
    "cut_off": ("cut_off.py", NEWEST, {}),
    "full_disk": ("full_disk.py", NEWEST, {}),
    "newest_on_postgresql": ("hub.py", NEWEST, {}),
}
# Those whose server keeps its data on a disk of so many bytes.
SMALL_DISKS = {"full_disk": 64 << 20}
# Those whose server has its database there, where tools/with_postgresql has started one.
ON_POSTGRESQL = {"newest_on_postgresql"}


def run_client(name, server, folder):
    """Entries for a report."""
    script, package, settings = RUNS[name]
    path = CLIENTS / package
    report = Path(folder) / "report.json"
    if not path.exists():
        return [not_run(name, "HubClients", f"{package} is not installed: tools/fetch_clients")]
    done = subprocess.run(
        ["timeout", str(ENDS_WITHIN), sys.executable, str(TESTS / "clients" / script), "--name", f"HubClients.{name}",
         "--report", str(report)], capture_output=True, text=True,
        env={**os.environ, **server.environment(Path(folder) / "home"), "PYTHONPATH": f"{path}:{TESTS}",
             "CLIENT": str(path), **settings})
    print(f"{name}: {done.stdout}", flush=True)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
    if not report.exists():
        return [{"name": name, "classname": "HubClients", "failures": [{"failure": "it ended without a report"}]}]
    return json.loads(report.read_text())["testsuites"][0]["testsuite"]


@contextmanager
def data_folder(name):
    with tempfile.TemporaryDirectory() as folder:
        if name not in SMALL_DISKS:
            yield folder
            return
        with small_disk(folder, SMALL_DISKS[name]):
            yield folder


def run(name):
    try:
        with data_folder(name) as data, tempfile.TemporaryDirectory() as folder:
            server = Server(data, postgresql.new_database(name) if name in ON_POSTGRESQL else "")
            try:
                results = run_client(name, server, folder)
            finally:
                code = server.stop()
    except NotRun as reason:
        return [not_run(name, "HubClients", reason)]
    entry = {"name": "the_server_stops_when_it_is_told", "classname": f"HubClients.{name}"}
    if code != 0:
        entry["failures"] = [{"failure": f"it ended with {code}"}]
    return [*results, entry]


def main():
    wanted = os.environ.get("BOTHY_CLIENTS", "").split() or RUNS
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        finish([entry for results in pool.map(run, wanted) for entry in results])


main()
