"""Transfers that end in the middle: the client is killed, the network is cut, two write at once; then the next try."""
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness import NotRun, argument, finish, run_functions
from huggingface_hub import HfApi
from proxy import Proxy
from server import made_bytes, made_file

api = HfApi()
# Long enough to be interrupted, short enough for every run.
SIZE = 300_000_000 if os.environ.get("BOTHY_LONG_TESTS") else 60_000_000
# A step of a test that does not come within so many seconds never comes.
COMES_WITHIN = 120


def in_another_process(code, *args, **environment):
    return subprocess.Popen([sys.executable, "-c", code, *args], env={**os.environ, **environment},
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


UPLOAD = "import sys; from huggingface_hub import HfApi; " \
         "HfApi().upload_file(path_or_fileobj=sys.argv[1], path_in_repo='a.bin', repo_id=sys.argv[2])"
DOWNLOAD = "import sys; from huggingface_hub import hf_hub_download; " \
           "hf_hub_download(sys.argv[2], 'a.bin', local_dir=sys.argv[1])"


def ended(process):
    """Its exit code and what it said."""
    try:
        said = process.communicate(timeout=COMES_WITHIN)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, said


def succeeds(process):
    code, said = ended(process)
    assert code == 0, said


def kill_when(process, carried, proxy):
    """Once so many bytes have gone through the proxy."""
    until = time.monotonic() + COMES_WITHIN
    while proxy.carried < carried and process.poll() is None:
        assert time.monotonic() < until, "nothing was carried"
        time.sleep(0.001)  # nothing tells when bytes have passed
    process.kill()
    process.communicate()
    assert process.returncode != 0, "it had ended before it was killed"


def proxied():
    """A proxy before the hub, and the environment of a client that goes through it (by Xet, too: the hub gives the
    addresses of the host that it was asked by)."""
    proxy = Proxy(int(os.environ["HF_ENDPOINT"].rsplit(":", 1)[1]))
    return proxy, {"HF_ENDPOINT": proxy.address}


def check_uploaded(repository, name):
    with tempfile.TemporaryDirectory() as folder:
        assert Path(api.hf_hub_download(repository, "a.bin", local_dir=folder)).read_bytes() == made_bytes(SIZE, name)


def check_upload_after_a_kill(name, **settings):
    """What the killed client leaves is not seen, and the next one succeeds."""
    repository = api.create_repo(f"ada/{name}").repo_id
    with made_file(SIZE, name) as file:
        proxy, environment = proxied()
        kill_when(in_another_process(UPLOAD, file, repository, **environment, **settings), SIZE // 3, proxy)
        assert api.list_repo_files(repository) == [".gitattributes"] and len(api.list_repo_commits(repository)) == 1
        succeeds(in_another_process(UPLOAD, file, repository, **settings))
    check_uploaded(repository, name)


def test_an_upload_by_xet_is_killed_and_repeated():
    check_upload_after_a_kill("killed-xet")


def test_an_upload_by_lfs_is_killed_and_repeated():
    check_upload_after_a_kill("killed-lfs", HF_HUB_DISABLE_XET="1")


def check_upload_after_a_cut(name, **settings):
    """The client tries again by itself, or says what is wrong and leaves nothing, and then the next one succeeds."""
    repository = api.create_repo(f"ada/{name}").repo_id
    with made_file(SIZE, name) as file:
        proxy, environment = proxied()
        proxy.cut(SIZE // 3)
        code, said = ended(in_another_process(UPLOAD, file, repository, **environment, **settings))
        assert proxy.cuts == 1
        if code != 0:
            assert said and api.list_repo_files(repository) == [".gitattributes"]
            succeeds(in_another_process(UPLOAD, file, repository, **settings))
    check_uploaded(repository, name)


def test_an_upload_by_xet_is_cut_off_and_comes_whole():
    check_upload_after_a_cut("cut-xet")


def test_an_upload_by_lfs_is_cut_off_and_comes_whole():
    check_upload_after_a_cut("cut-lfs", HF_HUB_DISABLE_XET="1")


def to_download(name):
    repository = api.create_repo(f"ada/{name}").repo_id
    with made_file(SIZE, name) as file:
        api.upload_file(path_or_fileobj=file, path_in_repo="a.bin", repo_id=repository)
    return repository


def check_download_after_a_kill(name, **settings):
    repository = to_download(name)
    with tempfile.TemporaryDirectory() as folder:
        proxy, environment = proxied()
        kill_when(in_another_process(DOWNLOAD, folder, repository, **environment, **settings), SIZE // 3, proxy)
        assert not Path(folder, "a.bin").exists()
        succeeds(in_another_process(DOWNLOAD, folder, repository, **settings))
        assert Path(folder, "a.bin").read_bytes() == made_bytes(SIZE, name)


def test_a_download_by_xet_is_killed_and_repeated():
    check_download_after_a_kill("killed-xet-download")


def test_a_plain_download_is_killed_and_repeated():
    check_download_after_a_kill("killed-download", HF_HUB_DISABLE_XET="1")


def test_a_plain_download_that_is_cut_off_goes_on_where_it_ended():
    repository = to_download("cut-download")
    with tempfile.TemporaryDirectory() as folder:
        proxy, environment = proxied()
        proxy.cut(SIZE // 2)
        succeeds(in_another_process(DOWNLOAD, folder, repository, **environment, HF_HUB_DISABLE_XET="1"))
        assert proxy.cuts == 1
        assert Path(folder, "a.bin").read_bytes() == made_bytes(SIZE, "cut-download")
        # It writes 10 MiB at a time: what it has of the next is lost.
        assert proxy.carried < SIZE + (11 << 20), proxy.carried


def test_two_write_to_one_branch_and_nothing_is_lost():
    repository = api.create_repo("ada/two-writers").repo_id
    failures = []

    def write(who):
        for i in range(10):
            try:
                api.upload_file(path_or_fileobj=f"{who} {i}".encode(), path_in_repo=f"{who}/{i}", repo_id=repository)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test has failed
                failures.append(error)

    writers = [threading.Thread(target=write, args=(who,)) for who in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures, failures
    expected = {".gitattributes"} | {f"{who}/{i}" for who in ("one", "two") for i in range(10)}
    assert set(api.list_repo_files(repository)) == expected and len(api.list_repo_commits(repository)) == 21


def test_a_file_of_two_gigabytes_comes_back():
    if not os.environ.get("BOTHY_LONG_TESTS"):
        raise NotRun("BOTHY_LONG_TESTS is not set")
    repository = api.create_repo("ada/two-gigabytes").repo_id
    chunks, made = random.Random(2), hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/a.bin", "wb") as file:
            for _ in range(2048):
                chunk = chunks.randbytes(1 << 20)
                made.update(chunk)
                file.write(chunk)
        started = time.monotonic()
        api.upload_file(path_or_fileobj=file.name, path_in_repo="a.bin", repo_id=repository)
        uploaded = time.monotonic()
        with open(api.hf_hub_download(repository, "a.bin", local_dir=f"{folder}/got"), "rb") as file:
            downloaded = time.monotonic()
            assert hashlib.file_digest(file, "sha256").digest() == made.digest()
    print(f"2 GiB: up in {uploaded - started:.1f} s, down in {downloaded - uploaded:.1f} s")


finish(run_functions(globals(), argument("--name")))
