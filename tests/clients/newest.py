"""What only the newest huggingface_hub can do."""
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from harness import argument, finish, run_functions
from huggingface_hub import CommitOperationCopy, HfApi
from huggingface_hub.errors import HfHubHTTPError
from server import BOTHY, PASSWORD, made_bytes, made_file


api = HfApi()


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
        asks = page("/device/login", name="ada", password=PASSWORD, user_code=code[0])
        csrf = re.search(r'name="csrf" value="([^"]+)"', asks)[1]
        page("/device", csrf=csrf, user_code=code[0], decision="confirm")
        shown += client.communicate(timeout=60)[0]
        assert client.returncode == 0, shown
        who = subprocess.run([sys.executable, "-c", command, "auth", "whoami"], capture_output=True, text=True,
                             env=environment)
        assert "ada" in who.stdout, who.stdout + who.stderr


def test_a_quota_is_told_before_anything_is_sent():
    def quota(size):
        subprocess.run([BOTHY, "admin", "quota", "set", size, "team"], check=True, capture_output=True)

    repository = api.create_repo("team/quota").repo_id
    quota("450kB")
    try:
        with made_file(200_000, "quota 1") as first, made_file(300_000, "quota 2") as second:
            api.upload_file(path_or_fileobj=first, path_in_repo="first.bin", repo_id=repository)
            head = api.repo_info(repository).sha
            try:
                api.upload_file(path_or_fileobj=second, path_in_repo="second.bin", repo_id=repository)
                assert False, "500 kB were taken where 450 kB are allowed"
            except HfHubHTTPError as refused:
                assert refused.response.status_code == 403, refused
                assert "/preupload/" in str(refused.response.url), refused  # the first question of an upload
                assert "Storage limit reached: the repositories of team" in str(refused), refused
            assert api.repo_info(repository).sha == head
            # What is there already needs no room.
            api.upload_file(path_or_fileobj=first, path_in_repo="first.bin", repo_id=repository, commit_message="again")
            quota("600kB")
            api.upload_file(path_or_fileobj=second, path_in_repo="second.bin", repo_id=repository)
            assert api.repo_info(repository, expand=["usedStorage"]).used_storage >= 500_000
    finally:
        quota("default")


def test_large_files_are_listed_copied_across_and_removed_for_good():
    repository, other = "ada/large-files", "ada/large-copies"
    for name in (repository, other):
        api.create_repo(name)
    for i in range(3):
        with made_file(200_000, 10 + i) as file:
            api.upload_file(path_or_fileobj=file, path_in_repo=f"{i}.bin", repo_id=repository)
    files = list(api.list_lfs_files(repository))
    assert sorted(f.filename for f in files) == ["0.bin", "1.bin", "2.bin"]
    api.create_commit(other, [CommitOperationCopy("0.bin", "copy.bin", src_repo_id=repository, src_repo_type="model")],
                        commit_message="copy")
    assert Path(api.hf_hub_download(other, "copy.bin")).read_bytes() == made_bytes(200_000, 10)
    api.permanently_delete_lfs_files(repository, [f for f in files if f.filename == "1.bin"])
    assert sorted(f.filename for f in api.list_lfs_files(repository)) == ["0.bin", "2.bin"]
    assert not api.file_exists(repository, "1.bin")


def test_repositories_are_listed_with_what_they_take():
    api.create_repo("team/listed", private=True, repo_type="dataset")
    found = {(r.id, r.type, r.visibility) for r in api.list_user_repos("team")}
    assert ("team/listed", "dataset", "private") in found


def test_a_large_file_says_that_it_is_in_xet():
    api.create_repo("ada/xet")
    with made_file(300_000, 22) as file:
        api.upload_file(path_or_fileobj=file, path_in_repo="a.bin", repo_id="ada/xet")
    assert next(e for e in api.list_repo_tree("ada/xet") if e.path == "a.bin").xet_hash


def test_kernels_are_repositories_too():
    api.create_repo("ada/kernel", repo_type="kernel")
    api.upload_file(path_or_fileobj=b"1", path_in_repo="build.toml", repo_id="ada/kernel", repo_type="kernel")
    assert "build.toml" in api.list_repo_files("ada/kernel", repo_type="kernel")


def test_a_folder_that_was_downloaded_is_verified():
    api.create_repo("ada/verified")
    with made_file(300_000, 20) as file:
        api.upload_file(path_or_fileobj=file, path_in_repo="a.bin", repo_id="ada/verified")
    with tempfile.TemporaryDirectory() as folder:
        api.snapshot_download("ada/verified", local_dir=folder)
        assert not api.verify_repo_checksums("ada/verified", local_dir=folder).mismatches
        Path(folder, "a.bin").write_bytes(made_bytes(300_000, 21))
        assert [m["path"] for m in api.verify_repo_checksums("ada/verified", local_dir=folder).mismatches] == ["a.bin"]


finish(run_functions(globals(), argument("--name")))
