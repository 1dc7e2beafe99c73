#!/usr/bin/env python3
"""Unmodified clients of Hugging Face against `bothy serve`. Needs BOTHY and what tools/fetch_clients installs.

Run by itself it starts a server and runs itself once for each client, which then has the functions below.
"""
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from harness import argument, finish, run_functions

BOTHY = os.environ.get("BOTHY", "build/dev/bothy")
CLIENTS = Path(os.environ.get("BOTHY_TEST_CLIENTS") or Path.home() / ".cache" / "bothy" / "clients")
# Of each client: where it is installed, and its environment.
RUNS = {
    "newest": ("huggingface_hub-2.4.0", {}),
}


def made_bytes(size, seed):
    """The same for the same seed, and not compressible."""
    return hashlib.shake_128(str(seed).encode()).digest(size)


class Server:
    """`bothy serve` on a free port over a folder of its own, with users ada (who owns what the tests make) and bob."""

    def __init__(self, data):
        self.data = data
        self.admin("user", "create", "ada", "--password-stdin", stdin=b"correct horse battery\n")
        self.admin("user", "create", "bob", "--password-stdin", stdin=b"correct horse battery\n")
        self.tokens = {user: self.admin("token", "create", user, "--role", "write").strip() for user in ("ada", "bob")}
        self.log = open(Path(data) / "server.log", "wb")
        self.process = subprocess.Popen([BOTHY, "serve", "--listen", "127.0.0.1:0", "--data", data],
                                        stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        self.address = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)[1]

    def admin(self, *args, stdin=b""):
        done = subprocess.run([BOTHY, "admin", *args, "--data", self.data], input=stdin, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.log.close()
        return code


# ---- What each client does -------------------------------------------------------------------------------------------


def api():
    from huggingface_hub import HfApi
    return HfApi()


def new_repository(name, **options):
    repository = f"ada/{name}"
    api().create_repo(repository, **options)
    return repository


def contents(repository, path, **options):
    from huggingface_hub import hf_hub_download
    return Path(hf_hub_download(repository, path, force_download=True, **options)).read_bytes()


def test_a_client_learns_who_it_is():
    assert api().whoami()["name"] == "ada"


def test_a_new_repository_has_attributes_and_one_commit():
    repository = new_repository("new")
    assert api().list_repo_files(repository) == [".gitattributes"]
    assert [commit.title for commit in api().list_repo_commits(repository)] == ["initial commit"]
    api().create_repo(repository, exist_ok=True)


def test_a_small_file_comes_back():
    repository = new_repository("small")
    api().upload_file(path_or_fileobj=b"# a card\n", path_in_repo="docs/a.txt", repo_id=repository)
    assert contents(repository, "docs/a.txt") == b"# a card\n"


def test_a_large_file_comes_back_by_xet():
    repository = new_repository("large")
    data = made_bytes(20_000_000, 1)
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        api().upload_file(path_or_fileobj=file.name, path_in_repo="model.bin", repo_id=repository)
    entry = next(e for e in api().list_repo_tree(repository) if e.path == "model.bin")
    assert entry.size == len(data) and entry.lfs.sha256 == hashlib.sha256(data).hexdigest() and entry.xet_hash
    assert contents(repository, "model.bin") == data
    # The same by plain HTTP, and a part of it.
    address = f"{os.environ['HF_ENDPOINT']}/{repository}/resolve/main/model.bin"
    assert urllib.request.urlopen(address).read() == data
    part = urllib.request.urlopen(urllib.request.Request(address, headers={"Range": "bytes=7000000-9000000"}))
    assert part.status == 206 and part.read() == data[7000000:9000001]


def test_a_folder_of_many_files_comes_back_whole():
    from huggingface_hub import snapshot_download
    repository = new_repository("folder")
    with tempfile.TemporaryDirectory() as folder:
        for i in range(1200):
            path = Path(folder, f"part{i % 7}", f"{i}.txt")
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"file {i}\n")
        api().upload_folder(repo_id=repository, folder_path=folder)
    here = Path(snapshot_download(repository))
    files = sorted(str(p.relative_to(here)) for p in here.rglob("*") if p.is_file())
    assert files == sorted([".gitattributes"] + [f"part{i % 7}/{i}.txt" for i in range(1200)])
    assert all((here / f"part{i % 7}" / f"{i}.txt").read_text() == f"file {i}\n" for i in range(1200))


def test_files_and_folders_are_deleted():
    repository = new_repository("deleted")
    for path in ("a.txt", "folder/b.txt", "folder/c.txt"):
        api().upload_file(path_or_fileobj=path.encode(), path_in_repo=path, repo_id=repository)
    api().delete_file("a.txt", repository)
    api().delete_folder("folder", repository)
    assert api().list_repo_files(repository) == [".gitattributes"]


def test_branches_tags_and_older_revisions_are_read():
    repository = new_repository("revisions")
    first = api().upload_file(path_or_fileobj=b"1", path_in_repo="x", repo_id=repository).oid
    api().create_branch(repository, branch="dev")
    api().create_tag(repository, tag="v1")
    api().upload_file(path_or_fileobj=b"2", path_in_repo="x", repo_id=repository, revision="dev")
    assert contents(repository, "x") == b"1" and contents(repository, "x", revision="dev") == b"2"
    assert contents(repository, "x", revision=first) == b"1" and contents(repository, "x", revision="v1") == b"1"
    refs = api().list_repo_refs(repository)
    assert {b.name for b in refs.branches} == {"main", "dev"} and [t.name for t in refs.tags] == ["v1"]
    api().delete_branch(repository, branch="dev")
    api().delete_tag(repository, tag="v1")
    assert [b.name for b in api().list_repo_refs(repository).branches] == ["main"]


def test_a_pull_request_has_a_ref_of_its_own():
    repository = new_repository("pulls")
    commit = api().upload_file(path_or_fileobj=b"pr", path_in_repo="pr.txt", repo_id=repository, create_pr=True)
    assert commit.pr_revision == "refs/pr/1"
    assert contents(repository, "pr.txt", revision="refs/pr/1") == b"pr"
    assert "pr.txt" not in api().list_repo_files(repository)


def test_a_stale_parent_is_refused_and_none_is_applied_on_top():
    from huggingface_hub.utils import HfHubHTTPError
    repository = new_repository("parents")
    stale = api().list_repo_commits(repository)[0].commit_id
    api().upload_file(path_or_fileobj=b"1", path_in_repo="one", repo_id=repository)
    api().upload_file(path_or_fileobj=b"2", path_in_repo="two", repo_id=repository)
    try:
        api().upload_file(path_or_fileobj=b"3", path_in_repo="three", repo_id=repository, parent_commit=stale)
        raise AssertionError("a stale parent was taken")
    except HfHubHTTPError as error:
        assert error.response.status_code == 412 and "The branch was updated since you opened this page" in str(error)
    assert set(api().list_repo_files(repository)) == {".gitattributes", "one", "two"}


def test_what_is_not_there_is_told_apart():
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
    repository = new_repository("missing")
    for expected, args in ((EntryNotFoundError, (repository, "no.txt")), (RepositoryNotFoundError, ("ada/nothing", "a")),
                           (RevisionNotFoundError, (repository, "a", None))):
        try:
            hf_hub_download(*args[:2], revision="no-such-branch" if len(args) == 3 else None)
            raise AssertionError(f"{args} was found")
        except expected:
            pass


def test_a_private_repository_is_invisible_to_others():
    from huggingface_hub import HfApi
    from huggingface_hub.utils import RepositoryNotFoundError
    repository = new_repository("private", private=True)
    assert api().model_info(repository).private
    for token in (os.environ["BOB_TOKEN"], False):
        try:
            HfApi(token=token).model_info(repository)
            raise AssertionError("it was seen")
        except RepositoryNotFoundError:
            pass


def test_others_may_not_write():
    from huggingface_hub import HfApi
    from huggingface_hub.utils import HfHubHTTPError
    repository = new_repository("readable")
    try:
        HfApi(token=os.environ["BOB_TOKEN"]).upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repository)
        raise AssertionError("bob wrote")
    except HfHubHTTPError as error:
        assert error.response.status_code == 403


def test_content_that_one_may_not_read_cannot_be_named_by_its_hash():
    repository = new_repository("secret", private=True)
    data = made_bytes(12_000_000, 2)
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        api().upload_file(path_or_fileobj=file.name, path_in_repo="secret.bin", repo_id=repository)
    from huggingface_hub import HfApi
    HfApi(token=os.environ["BOB_TOKEN"]).create_repo("bob/thief", exist_ok=True)
    lines = [{"key": "header", "value": {"summary": "take", "description": ""}},
             {"key": "lfsFile", "value": {"path": "taken.bin", "algo": "sha256", "size": len(data),
                                          "oid": hashlib.sha256(data).hexdigest()}}]
    request = urllib.request.Request(
        f"{os.environ['HF_ENDPOINT']}/api/models/bob/thief/commit/main", method="POST",
        data="\n".join(map(json.dumps, lines)).encode(),
        headers={"Authorization": f"Bearer {os.environ['BOB_TOKEN']}", "Content-Type": "application/x-ndjson"})
    try:
        urllib.request.urlopen(request)
        raise AssertionError("it was taken")
    except urllib.error.HTTPError as error:
        assert error.code == 404, error.code


def test_an_old_name_leads_to_the_new_one():
    repository = new_repository("before")
    api().upload_file(path_or_fileobj=b"moved", path_in_repo="x", repo_id=repository)
    api().move_repo(repository, "ada/after")
    assert api().model_info(repository).id == "ada/after" and contents(repository, "x") == b"moved"


def test_history_becomes_one_commit():
    repository = new_repository("squashed")
    api().upload_file(path_or_fileobj=b"1", path_in_repo="x", repo_id=repository)
    api().super_squash_history(repository)
    assert len(api().list_repo_commits(repository)) == 1 and contents(repository, "x") == b"1"


def test_datasets_and_spaces_are_kept_beside_models():
    for kind in ("dataset", "space"):
        options = {"space_sdk": "static"} if kind == "space" else {}
        repository = new_repository("same-name", repo_type=kind, **options)
        api().upload_file(path_or_fileobj=kind.encode(), path_in_repo="x", repo_id=repository, repo_type=kind)
        assert contents(repository, "x", repo_type=kind) == kind.encode()
        api().delete_repo(repository, repo_type=kind)


def test_a_gated_repository_is_read_by_who_was_let_in():
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError
    repository = new_repository("gated")
    api().upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repository)
    api().update_repo_settings(repository, gated="manual")
    bob = HfApi(token=os.environ["BOB_TOKEN"])

    def may_read():
        with tempfile.TemporaryDirectory() as empty:  # nothing of an earlier download
            try:
                return Path(bob.hf_hub_download(repository, "x", cache_dir=empty)).read_bytes() == b"x"
            except GatedRepoError:
                return False

    assert not may_read()
    urllib.request.urlopen(urllib.request.Request(
        f"{os.environ['HF_ENDPOINT']}/{repository}/ask-access", method="POST", data=b'{"why": "to test"}',
        headers={"Authorization": f"Bearer {os.environ['BOB_TOKEN']}", "Content-Type": "application/json"}))
    assert [r.username for r in api().list_pending_access_requests(repository)] == ["bob"] and not may_read()
    api().accept_access_request(repository, "bob")
    assert may_read()
    api().reject_access_request(repository, "bob", rejection_reason="no")
    assert not may_read()


def test_a_device_logs_in_by_a_code_that_is_confirmed_in_a_browser():
    endpoint = os.environ["HF_ENDPOINT"]
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def page(path, **form):
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(endpoint + path, data, {"Origin": endpoint} if form else {})
        return browser.open(request).read().decode()

    environment = {k: v for k, v in os.environ.items() if k != "HF_TOKEN"}
    with tempfile.TemporaryDirectory() as home:
        environment["HF_HOME"] = home
        command = "from huggingface_hub.cli.hf import main; main()"
        client = subprocess.Popen([sys.executable, "-c", command, "auth", "login"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        code, shown = None, ""
        for line in client.stdout:
            shown += line
            code = re.search(r"\b[B-Z]{4}-[B-Z]{4}\b", line)
            if code:
                break
        assert code, shown
        asks = page("/device/login", name="ada", password="correct horse battery", user_code=code[0])
        csrf = re.search(r'name="csrf" value="([^"]+)"', asks)[1]
        page("/device", csrf=csrf, user_code=code[0], decision="confirm")
        shown += client.communicate(timeout=60)[0]
        assert client.returncode == 0, shown
        who = subprocess.run([sys.executable, "-c", command, "auth", "whoami"], capture_output=True, text=True,
                             env=environment)
        assert "ada" in who.stdout, who.stdout + who.stderr


def test_large_files_are_listed_copied_across_and_removed_for_good():
    from huggingface_hub import CommitOperationCopy
    repository, other = new_repository("large-files"), new_repository("large-copies")
    for i in range(3):
        with tempfile.NamedTemporaryFile() as file:
            file.write(made_bytes(200_000, 10 + i))
            file.flush()
            api().upload_file(path_or_fileobj=file.name, path_in_repo=f"{i}.bin", repo_id=repository)
    files = list(api().list_lfs_files(repository))
    assert sorted(f.filename for f in files) == ["0.bin", "1.bin", "2.bin"]
    api().create_commit(other, [CommitOperationCopy("0.bin", "copy.bin", src_repo_id=repository, src_repo_type="model")],
                        commit_message="copy")
    assert contents(other, "copy.bin") == made_bytes(200_000, 10)
    api().permanently_delete_lfs_files(repository, [f for f in files if f.filename == "1.bin"])
    assert sorted(f.filename for f in api().list_lfs_files(repository)) == ["0.bin", "2.bin"]
    assert not api().file_exists(repository, "1.bin")


# ---- Running them ----------------------------------------------------------------------------------------------------


def run_client(name, server, folder):
    """The functions above, in a process that has this client."""
    package, environment = RUNS[name]
    path = CLIENTS / package
    report = Path(folder) / f"{name}.json"
    if not path.exists():
        return [{"name": name, "classname": "HubClients", "result": "SKIPPED",
                 "skipped": [{"message": f"{package} is not installed: tools/fetch_clients"}]}]
    tests = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, __file__, "--client", name, "--report", str(report)], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": f"{path}:{tests}", "HF_ENDPOINT": server.address, "HF_HOME": f"{folder}/{name}",
             "HF_TOKEN": server.tokens["ada"], "BOB_TOKEN": server.tokens["bob"], "HF_HUB_DISABLE_TELEMETRY": "1",
             "HF_HUB_DISABLE_PROGRESS_BARS": "1", **environment})
    print(done.stdout)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
    if not report.exists():
        return [{"name": name, "classname": "HubClients", "failures": [{"failure": "it ended without a report"}]}]
    return json.loads(report.read_text())["testsuites"][0]["testsuite"]


def main():
    if client := argument("--client"):
        finish(run_functions(globals(), f"HubClients.{client}"))
    results = []
    for name in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            server = Server(folder)
            try:
                results += run_client(name, server, folder)
            finally:
                code = server.stop()
            entry = {"name": "the_server_stops_when_it_is_told", "classname": f"HubClients.{name}"}
            if code != 0:
                entry["failures"] = [{"failure": f"it ended with {code}"}]
            results.append(entry)
    finish(results)


main()
