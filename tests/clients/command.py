"""The `hf` command: everything that moves or manages content."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import argument, finish, run_functions
from server import made_bytes

# The script that pip would put into bin/ is not there for a package that was installed into a folder.
COMMAND = [sys.executable, "-c", "from huggingface_hub.cli.hf import main; main()"]


def hf(*args, fails=False, **environment):
    """What it prints."""
    done = subprocess.run([*COMMAND, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, **environment}, timeout=120)
    assert (done.returncode != 0) == fails, f"{args}: {done.stdout}{done.stderr}"
    return done.stdout + (done.stderr if fails else "")


def made_folder(folder):
    Path(folder, "sub").mkdir()
    Path(folder, "a.txt").write_text("hello\n")
    Path(folder, "sub", "b.json").write_text("{}")
    Path(folder, "big.bin").write_bytes(made_bytes(1_000_000, 1))
    return folder


def new_repository(name, *options):
    hf("repos", "create", f"ada/{name}", *options)
    return f"ada/{name}"


def filled(name):
    repository = new_repository(name)
    with tempfile.TemporaryDirectory() as folder:
        hf("upload", repository, made_folder(folder), ".")
    return repository


def paths(repository, *options):
    return {entry["path"] for entry in json.loads(hf("models", "ls", repository, "-R", "--json", *options))}


def test_a_token_logs_in_and_out():
    with tempfile.TemporaryDirectory() as home:
        def away(*args, **options):
            return hf("auth", *args, HF_HOME=home, HF_TOKEN="", **options)

        away("whoami", fails=True)
        away("login", "--token", os.environ["HF_TOKEN"])
        assert "user: ada" in hf("auth", "whoami") and "ada" in away("whoami")
        assert away("token").splitlines()[0] == os.environ["HF_TOKEN"]
        assert "hf_****" in away("list")
        away("logout")
        away("whoami", fails=True)
        assert "Invalid user token" in away("login", "--token", "hf_nobody", fails=True)


def test_a_folder_is_uploaded_and_downloaded():
    repository = filled("folder")
    assert paths(repository) == {".gitattributes", "a.txt", "big.bin", "sub", "sub/b.json"}
    with tempfile.TemporaryDirectory() as folder:
        hf("download", repository, "--local-dir", folder)
        assert Path(folder, "big.bin").read_bytes() == made_bytes(1_000_000, 1)
        assert Path(folder, "sub", "b.json").read_text() == "{}"
    with tempfile.TemporaryDirectory() as folder:
        hf("download", repository, "--include", "*.json", "--local-dir", folder)
        assert [p.name for p in Path(folder).rglob("*.*") if p.is_file() and ".cache" not in p.parts] == ["b.json"]


def test_uploads_choose_revisions_and_files():
    repository = filled("chosen")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "c.txt").write_text("c")
        hf("upload", repository, folder, ".", "--revision", "dev", "--delete", "*.json")
        assert paths(repository, "--revision", "dev") == {".gitattributes", "a.txt", "big.bin", "c.txt"}
        hf("upload", repository, f"{folder}/c.txt", "pr.txt", "--create-pr")
        hf("download", repository, "pr.txt", "--revision", "refs/pr/1", "--local-dir", folder)
        assert Path(folder, "pr.txt").read_text() == "c" and "pr.txt" not in paths(repository)


def test_a_private_repository_is_made_by_an_upload():
    with tempfile.TemporaryDirectory() as folder:
        hf("upload", "made-by-upload", made_folder(folder), "--private")
    info = json.loads(hf("models", "info", "ada/made-by-upload"))
    assert info["private"] and info["id"] == "ada/made-by-upload"


def test_files_are_copied_between_repositories_and_pipes():
    repository, other = filled("copied"), new_repository("copies")
    assert hf("cp", f"hf://{repository}/a.txt", "-") == "hello\n"
    hf("cp", f"hf://{repository}/big.bin", f"hf://{other}/large.bin")
    hf("cp", f"hf://{repository}/a.txt", f"hf://{other}/docs/small.txt")
    with tempfile.TemporaryDirectory() as folder:
        hf("cp", f"hf://{other}/large.bin", f"{folder}/got.bin")
        assert Path(folder, "got.bin").read_bytes() == made_bytes(1_000_000, 1)
        hf("cp", f"{folder}/got.bin", f"hf://{other}/third.bin")
    assert {"large.bin", "docs/small.txt", "third.bin"} <= paths(other)


def test_files_are_deleted_by_pattern():
    repository = filled("deleted")
    hf("repos", "delete-files", repository, "*.json")
    hf("repos", "delete-files", repository, "a.txt")
    assert paths(repository) == {".gitattributes", "big.bin"}


def test_branches_and_tags_are_made_listed_and_deleted():
    repository = filled("refs")
    hf("repos", "branch", "create", repository, "dev")
    hf("repos", "tag", "create", repository, "v1", "-m", "the first")
    assert [t["name"] for t in json.loads(hf("repos", "tag", "list", repository, "--json"))] == ["v1"]
    assert paths(repository, "--revision", "dev") == paths(repository, "--revision", "v1")
    hf("repos", "branch", "delete", repository, "dev")
    hf("repos", "tag", "delete", repository, "v1", "-y")
    assert json.loads(hf("repos", "tag", "list", repository, "--json")) == []


def test_repositories_are_moved_duplicated_listed_and_deleted():
    repository = filled("moved")
    hf("repos", "move", repository, "team/moved")
    assert json.loads(hf("models", "info", repository))["id"] == "team/moved"
    hf("repos", "duplicate", "team/moved", "ada/duplicate")
    assert paths("ada/duplicate") == paths("team/moved")
    listed = {r["id"] for r in json.loads(hf("repos", "list", "--namespace", "team", "--json"))}
    assert "team/moved" in listed
    assert "ada/duplicate" in hf("repos", "list", "--search", "duplicate")
    hf("repos", "delete", "ada/duplicate", "-y")
    hf("models", "info", "ada/duplicate", fails=True)
    hf("repos", "delete", "ada/duplicate", "-y", "--missing-ok")


def test_settings_are_changed():
    repository = new_repository("settings")
    hf("repos", "settings", repository, "--private")
    assert json.loads(hf("models", "info", repository))["private"]
    hf("repos", "settings", repository, "--public")
    hf("repos", "settings", repository, "--gated", "manual")
    info = json.loads(hf("models", "info", repository))
    assert not info["private"] and info["gated"] == "manual"


def test_a_space_and_a_dataset_are_described():
    new_repository("space", "--type", "space", "--sdk", "gradio")
    assert "sdk: gradio" in hf("spaces", "card", "ada/space")
    assert json.loads(hf("spaces", "info", "ada/space"))["id"] == "ada/space"
    new_repository("dataset", "--type", "dataset")
    assert json.loads(hf("datasets", "info", "ada/dataset"))["id"] == "ada/dataset"


def test_the_cache_is_listed_verified_and_emptied():
    repository = filled("cached")
    with tempfile.TemporaryDirectory() as home:
        hf("download", repository, HF_HOME=home)
        assert f"model/{repository}" in hf("cache", "ls", HF_HOME=home)
        assert "All checksums match" in hf("cache", "verify", repository, HF_HOME=home)
        hf("cache", "prune", "-y", HF_HOME=home)
        hf("cache", "rm", f"model/{repository}", "-y", HF_HOME=home)
        assert repository not in hf("cache", "ls", HF_HOME=home)


finish(run_functions(globals(), argument("--name")))
