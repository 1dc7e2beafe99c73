"""What every version of huggingface_hub can do, by Xet or (HF_HUB_DISABLE_XET) by git-lfs."""
import hashlib
import json
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from harness import argument, finish, run_functions
from huggingface_hub import HfApi
from server import made_bytes, made_file


def api():
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


def test_a_large_file_comes_back():
    repository = new_repository("large")
    data = made_bytes(20_000_000, 1)
    with made_file(len(data), 1) as file:
        api().upload_file(path_or_fileobj=file, path_in_repo="model.bin", repo_id=repository)
    entry = next(e for e in api().list_repo_tree(repository) if e.path == "model.bin")
    assert entry.size == len(data) and entry.lfs.sha256 == hashlib.sha256(data).hexdigest()
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
        told = "The branch was updated since you opened this page. Please refresh and try again."
        assert error.response.status_code == 412 and error.response.json()["error"] == told
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
    with made_file(len(data), 2) as file:
        api().upload_file(path_or_fileobj=file, path_in_repo="secret.bin", repo_id=repository)
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


def test_one_file_comes_back_by_every_way():
    from huggingface_hub import snapshot_download
    repository = new_repository("again")
    with made_file(3_000_000, 3) as file:
        api().upload_file(path_or_fileobj=file, path_in_repo="path.bin", repo_id=repository)
        with open(file, "rb") as opened:
            api().upload_file(path_or_fileobj=opened, path_in_repo="opened.bin", repo_id=repository)
    api().upload_file(path_or_fileobj=made_bytes(3_000_000, 3), path_in_repo="bytes.bin", repo_id=repository)
    here = Path(snapshot_download(repository))
    assert {(here / f"{name}.bin").read_bytes() for name in ("path", "opened", "bytes")} == {made_bytes(3_000_000, 3)}


def test_what_was_downloaded_is_there_without_the_server():
    from huggingface_hub import hf_hub_download, snapshot_download
    repository = new_repository("offline")
    with made_file(300_000, 4) as file:
        api().upload_file(path_or_fileobj=file, path_in_repo="a.bin", repo_id=repository)
    first = hf_hub_download(repository, "a.bin")
    assert hf_hub_download(repository, "a.bin") == first
    snapshot_download(repository)
    assert hf_hub_download(repository, "a.bin", local_files_only=True) == first
    # Port 9 (discard) of this machine, where nothing listens.
    assert str(Path(first).parent) == snapshot_download(repository, endpoint="http://127.0.0.1:9")


finish(run_functions(globals(), argument("--name")))
