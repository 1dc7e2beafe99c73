"""The network is cut in the middle of each kind of transfer that interrupted.py has not: it is told or overcome, and nothing
of it stays."""
import http.client
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

from git_program import clone, commit, git
from harness import argument, finish, run_functions
from huggingface_hub import CommitOperationAdd, HfApi
from proxy import Proxy
from server import BOTHY, made_bytes, made_file

api = HfApi()
DATA = Path(os.environ["BOTHY_DATA"])
SIZE = 20_000_000
# A step of a test that does not come within so many seconds never comes.
COMES_WITHIN = 60


@contextmanager
def proxied(cut_after=None):
    """Everything in it goes through a proxy, whose next connection that has carried so many bytes is cut there."""
    proxy = Proxy(urlsplit(os.environ["HF_ENDPOINT"]).port)
    if cut_after is not None:
        proxy.cut(cut_after)
    with patch.dict(os.environ, HF_ENDPOINT=proxy.address):
        yield proxy


def check_nothing_is_half_written():
    """Soon: the hub has to notice first that the client is gone."""
    until = time.monotonic() + COMES_WITHIN
    while left := [path for part in ("blobs", "git", "lfs-parts") for path in (DATA / part).rglob("*")
                   if path.name.startswith(("tmp_", ".tmp")) or path.suffix in (".part", ".lock")]:
        assert time.monotonic() < until, left
        time.sleep(0.01)  # nothing tells when it has
    doctor = subprocess.run([BOTHY, "doctor", "--quick"], capture_output=True, text=True)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def filled(name):
    repository = api.create_repo(f"ada/{name}").repo_id
    with made_file(SIZE, name) as file:
        api.upload_file(path_or_fileobj=file, path_in_repo="a.bin", repo_id=repository)
    return repository


def test_a_download_by_xet():
    repository = filled("cut-xet-download")
    with tempfile.TemporaryDirectory() as folder:
        with proxied(SIZE // 2) as proxy:
            try:
                HfApi(endpoint=proxy.address).hf_hub_download(repository, "a.bin", local_dir=folder)
            except Exception as error:  # noqa: BLE001 - whatever hf-xet makes of it
                assert str(error) and not Path(folder, "a.bin").exists()
            assert proxy.cuts == 1
        api.hf_hub_download(repository, "a.bin", local_dir=folder)
        assert Path(folder, "a.bin").read_bytes() == made_bytes(SIZE, "cut-xet-download")


def test_a_commit():
    repository = api.create_repo("ada/cut-commit").repo_id
    files = {f"{i}.txt": made_bytes(10_000, i).hex().encode() for i in range(100)}
    before = api.list_repo_commits(repository)

    def send(endpoint):
        operations = [CommitOperationAdd(path, data) for path, data in files.items()]
        HfApi(endpoint=endpoint).create_commit(repository, operations, commit_message="all")

    with proxied(1_500_000) as proxy:
        try:
            send(proxy.address)
        except Exception as error:  # noqa: BLE001 - whatever the client makes of it
            assert str(error) and api.list_repo_commits(repository) == before
            check_nothing_is_half_written()
            send(os.environ["HF_ENDPOINT"])
        assert proxy.cuts == 1
    assert [c.title for c in api.list_repo_commits(repository)] == ["all", "initial commit"]
    assert set(api.list_repo_files(repository)) == {".gitattributes", *files}


def test_a_push_by_git():
    repository = api.create_repo("ada/cut-push").repo_id
    with tempfile.TemporaryDirectory() as folder, proxied() as proxy:
        work = clone(repository, folder)
        for i in range(100):
            (work / f"{i}.txt").write_text(made_bytes(20_000, i).hex())
        commit(work, "all")
        proxy.cut(1_000_000)
        assert "fatal" in git(work, "push", fails=True) and proxy.cuts == 1
        assert api.list_repo_files(repository) == [".gitattributes"] and len(api.list_repo_commits(repository)) == 1
        check_nothing_is_half_written()
        git(work, "push", "--quiet")
    assert len(api.list_repo_files(repository)) == 101


def test_a_clone_by_git():
    repository = api.create_repo("ada/cut-clone").repo_id
    data = made_bytes(1_000_000, "clone").hex()
    api.upload_file(path_or_fileobj=data.encode(), path_in_repo="a.txt", repo_id=repository)
    with tempfile.TemporaryDirectory() as folder:
        with proxied(500_000) as proxy:
            git(folder, "clone", f"{os.environ['HF_ENDPOINT']}/{repository}", "work", fails=True)
            assert proxy.cuts == 1 and not Path(folder, "work").exists()
        assert (clone(repository, folder) / "a.txt").read_text() == data
    check_nothing_is_half_written()


def test_a_part_of_an_lfs_upload():
    repository = api.create_repo("ada/cut-part").repo_id
    batch = {"operation": "upload", "transfers": ["basic", "multipart"], "hash_algo": "sha256",
             "objects": [{"oid": "12" * 32, "size": 1 << 30}]}
    asked = urllib.request.Request(f"{os.environ['HF_ENDPOINT']}/{repository}.git/info/lfs/objects/batch",
                                   json.dumps(batch).encode(), {"Authorization": f"Bearer {os.environ['HF_TOKEN']}"})
    upload = json.load(urllib.request.urlopen(asked))["objects"][0]["actions"]["upload"]["header"]
    part, data = urlsplit(upload["1"]), bytes(int(upload["chunk_size"]))

    def put(endpoint):
        connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=COMES_WITHIN)
        try:
            connection.request("PUT", f"{part.path}?{part.query}", data)
            return connection.getresponse()
        finally:
            connection.close()

    with proxied(len(data) // 3) as proxy:
        try:
            raise AssertionError(f"it was answered: {put(proxy.address).status}")
        except OSError:
            assert proxy.cuts == 1
    check_nothing_is_half_written()
    answer = put(os.environ["HF_ENDPOINT"])
    assert answer.status == 200 and answer.headers["ETag"], answer.status


finish(run_functions(globals(), argument("--name")))
