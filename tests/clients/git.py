"""git and git-lfs, against what huggingface_hub pushed and for it to read."""
import json
import os
import tempfile
from pathlib import Path

from git_program import clone, commit, git
from harness import argument, finish, run_functions
from huggingface_hub import HfApi
from server import made_bytes, made_file

api = HfApi()


def contents(repository, path, **options):
    return Path(api.hf_hub_download(repository, path, force_download=True, **options)).read_bytes()


def test_what_was_uploaded_is_cloned_and_what_is_pushed_is_downloaded():
    repository = api.create_repo("ada/git").repo_id
    with made_file(2_000_000, 1) as file:
        api.upload_file(path_or_fileobj=file, path_in_repo="first.bin", repo_id=repository)
    with tempfile.TemporaryDirectory() as folder:
        work = clone(repository, folder)
        assert (work / "first.bin").read_bytes() == made_bytes(2_000_000, 1)
        (work / "second.bin").write_bytes(made_bytes(3_000_000, 2))
        (work / "a.txt").write_text("from git\n")
        commit(work, "from git")
        git(work, "push", "--quiet")
        assert contents(repository, "second.bin") == made_bytes(3_000_000, 2)
        assert contents(repository, "a.txt") == b"from git\n"
        assert api.list_repo_commits(repository)[0].title == "from git"
        api.upload_file(path_or_fileobj=b"from python\n", path_in_repo="b.txt", repo_id=repository)
        git(work, "pull", "--quiet")
        assert (work / "b.txt").read_text() == "from python\n"


def test_branches_and_tags_are_pushed_and_deleted():
    repository = api.create_repo("ada/git-branches").repo_id
    with tempfile.TemporaryDirectory() as folder:
        work = clone(repository, folder)
        git(work, "checkout", "--quiet", "-b", "feature/one")
        (work / "x").write_text("1")
        commit(work, "on a branch")
        git(work, "tag", "-a", "v1", "-m", "the first")
        git(work, "push", "--quiet", "origin", "feature/one", "v1")
        refs = api.list_repo_refs(repository)
        assert {b.name for b in refs.branches} == {"main", "feature/one"} and [t.name for t in refs.tags] == ["v1"]
        assert contents(repository, "x", revision="v1") == b"1"
        git(work, "push", "--quiet", "origin", ":feature/one", ":v1")
        assert [b.name for b in api.list_repo_refs(repository).branches] == ["main"]


def test_a_file_is_locked_for_others():
    repository = api.create_repo("team/git-locks").repo_id
    with tempfile.TemporaryDirectory() as folder:
        work = clone(repository, folder)
        (work / "a.bin").write_bytes(made_bytes(200_000, 3))
        commit(work, "a file")
        git(work, "push", "--quiet")
        git(work, "lfs", "lock", "a.bin")
        locks = json.loads(git(work, "lfs", "locks", "--json"))
        assert [(lock["path"], lock["owner"]["name"]) for lock in locks] == [("a.bin", "ada")]
        git(work, "lfs", "lock", "a.bin", fails=True)
        git(work, "lfs", "unlock", "a.bin")
        assert json.loads(git(work, "lfs", "locks", "--json")) == []


def test_a_large_file_without_lfs_is_refused_with_the_reason():
    repository = api.create_repo("ada/git-refused").repo_id
    with tempfile.TemporaryDirectory() as folder:
        work = clone(repository, folder)
        (work / ".gitattributes").write_text("")
        (work / "raw.bin").write_bytes(made_bytes(12_000_000, 4))
        commit(work, "a large file")
        assert "raw.bin" in git(work, "push", fails=True)
        assert api.list_repo_files(repository) == [".gitattributes"]


def test_others_may_clone_and_not_push_and_see_nothing_private():
    public, private = api.create_repo("ada/git-public").repo_id, api.create_repo("ada/git-private", private=True).repo_id
    with tempfile.TemporaryDirectory() as folder:
        work = clone(public, folder, user="bob")
        (work / "x").write_text("1")
        commit(work, "by bob")
        git(work, "push", user="bob", fails=True)
        assert api.list_repo_files(public) == [".gitattributes"]
        git(folder, "clone", f"{os.environ['HF_ENDPOINT']}/{private}", "private", user="bob", fails=True)


def test_clones_may_be_shallow_or_without_contents():
    repository = api.create_repo("ada/git-partial").repo_id
    for i in range(5):
        api.upload_file(path_or_fileobj=str(i).encode(), path_in_repo="x", repo_id=repository)
    for options in (("--depth", "1"), ("--filter=blob:none",)):
        with tempfile.TemporaryDirectory() as folder:
            assert (clone(repository, folder, *options) / "x").read_text() == "4"


finish(run_functions(globals(), argument("--name")))
