"""The PostgreSQL that tools/with_postgresql starts, for tests of a hub on it."""
import os
import subprocess
from urllib.parse import urlsplit

from harness import NotRun

ADDRESS = os.environ.get("BOTHY_TEST_POSTGRESQL")
RESTART = os.environ.get("BOTHY_TEST_POSTGRESQL_RESTART")


def new_database(name):
    """The address of an empty one, without what an earlier test has left in it."""
    if not ADDRESS:
        raise NotRun("needs BOTHY_TEST_POSTGRESQL")
    for command in (f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}"):
        subprocess.run(["psql", "--quiet", ADDRESS, "-c", command], check=True, stderr=subprocess.DEVNULL)
    return urlsplit(ADDRESS)._replace(path=f"/{name}").geturl()


def stop():
    subprocess.run(["bash", "-c", RESTART.replace(" restart ", " stop ")], check=True)


def start():
    subprocess.run(["bash", "-c", RESTART], check=True)
