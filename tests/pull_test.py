#!/usr/bin/env python3
"""`bothy pull` from `bothy serve`, read by Python's client and by bothy. Needs BOTHY and what tools/fetch_clients installs."""
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from harness import NotRun, argument, finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
from changing_proxy import ChangingProxy  # noqa: E402
from small_disk import leave_room, resize, small_disk  # noqa: E402

BOTHY = os.environ.get("BOTHY", "build/dev/bothy")
CLIENTS = Path(os.environ.get("BOTHY_TEST_CLIENTS") or Path.home() / ".cache" / "bothy" / "clients")
PYTHON_CLIENT = CLIENTS / "huggingface_hub-2.4.0"
LARGE = hashlib.shake_128(b"pull").digest(40_000_000)
COMMIT = re.compile(r"[0-9a-f]{40}")


class Hub:
    """`bothy serve` with ada/model in it: small files, one of 40 MB, and two quantizations."""

    def __init__(self, data):
        self.data = data
        self.admin("user", "create", "ada", "--password-stdin", stdin=b"correct horse battery\n")
        self.token = self.admin("token", "create", "ada", "--role", "write").strip()
        self.log = open(Path(data) / "server.log", "wb")
        self.process = subprocess.Popen([BOTHY, "serve", "--listen", "127.0.0.1:0", "--data", data],
                                        stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        self.address = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)[1]
        if not PYTHON_CLIENT.exists():
            return
        with tempfile.TemporaryDirectory() as folder:
            for path, content in FILES.items():
                Path(folder, path).parent.mkdir(exist_ok=True)
                Path(folder, path).write_bytes(content)
            self.python("from huggingface_hub import HfApi; api = HfApi()\n"
                        "api.create_repo('ada/model'); api.create_repo('ada/secret', private=True)\n"
                        f"api.upload_folder(repo_id='ada/model', folder_path={folder!r})\n"
                        "api.create_tag('ada/model', tag='v1')", folder, HF_TOKEN=self.token)

    def admin(self, *args, stdin=b""):
        done = subprocess.run([BOTHY, "admin", *args, "--data", self.data], input=stdin, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def python(self, code, home, **environment):
        """What a program of Python's client prints."""
        if not PYTHON_CLIENT.exists():
            raise NotRun("huggingface_hub-2.4.0 is not installed: tools/fetch_clients")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              env={**os.environ, "PYTHONPATH": str(PYTHON_CLIENT), "HF_ENDPOINT": self.address,
                                   "HF_HOME": home, "HF_HUB_DISABLE_PROGRESS_BARS": "1", **environment})
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.log.close()
        return code


FILES = {"README.md": b"# A model\n", "data/a.txt": b"a", "data/b.txt": b"b", "large.bin": LARGE,
         "m-Q4_K_M.gguf": b"4" * 3000, "m-Q8_0-00001-of-00002.gguf": b"81", "m-Q8_0-00002-of-00002.gguf": b"82"}
hub = None


def pull(home, *args, endpoint=None, expect=0, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    done = subprocess.run([BOTHY, "pull", *args], capture_output=True, text=True, timeout=300,
                          env={**clean, "HF_HOME": home, "HF_ENDPOINT": endpoint or hub.address, **environment})
    assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
    return done


def blobs(home):
    return Path(home, "hub", "models--ada--model", "blobs")


def test_python_reads_what_was_pulled_without_a_network():
    for xet in ("0", "1"):
        with tempfile.TemporaryDirectory() as home:
            snapshot = Path(pull(home, "ada/model", HF_HUB_DISABLE_XET=xet).stdout.strip())
            assert all((snapshot / path).read_bytes() == content for path, content in FILES.items())
            assert COMMIT.fullmatch(snapshot.name) and (snapshot / "large.bin").is_symlink()
            code = "from huggingface_hub import snapshot_download, hf_hub_download as f\n" \
                   "print(snapshot_download('ada/model')); print(f('ada/model', 'data/a.txt'))"
            read = hub.python(code, home, HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9").splitlines()
            assert read == [str(snapshot), str(snapshot / "data/a.txt")], read


def test_the_cache_is_laid_out_as_python_does_it():
    def layout(home):
        root = Path(home, "hub", "models--ada--model")
        # Python's client may keep a content by Xet once for all repositories: its blob is then a link.
        return {str(p.relative_to(root)): p.read_bytes() if p.parent.name == "blobs" or not p.is_symlink() else os.readlink(p)
                for p in root.rglob("*") if (p.is_file() or p.is_symlink()) and p.parent.name != "trees"}

    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        pull(ours, "ada/model@v1")
        hub.python("from huggingface_hub import snapshot_download; snapshot_download('ada/model', revision='v1')", theirs)
        ours_there, theirs_there = layout(ours), layout(theirs)
        assert ours_there.keys() == theirs_there.keys(), ours_there.keys() ^ theirs_there.keys()
        assert ours_there == theirs_there, [k for k in ours_there if ours_there[k] != theirs_there[k]]
        trees = [json.loads(next(Path(h, "hub", "models--ada--model", "trees").iterdir()).read_text())
                 for h in (ours, theirs)]
        assert trees[0] == trees[1], trees


def test_a_second_pull_fetches_nothing_and_needs_no_network():
    with tempfile.TemporaryDirectory() as home:
        first = pull(home, "ada/model")
        again = pull(home, "ada/model")
        assert again.stdout == first.stdout and "nothing to fetch" in again.stderr, again.stderr
        offline = pull(home, "ada/model", HF_HUB_OFFLINE="1")
        assert offline.stdout == first.stdout and "HF_HUB_OFFLINE is set; using commit" in offline.stderr, offline.stderr


def test_a_quantization_brings_all_its_parts_and_nothing_else():
    with tempfile.TemporaryDirectory() as home:
        place = Path(pull(home, "ada/model:q8_0").stdout.strip())
        assert place.name == "m-Q8_0-00001-of-00002.gguf" and place.read_bytes() == b"81"
        assert sorted(p.name for p in place.parent.iterdir()) == sorted(f for f in FILES if "Q8_0" in f)
        none = pull(home, "ada/model:Q5_0", expect=1)
        assert 'no file or quantization "Q5_0"; there are: m-Q4_K_M.gguf, m-Q8_0-00001-of-00002.gguf' in none.stderr
        listed = subprocess.run([BOTHY, "list"], capture_output=True, text=True, env={**os.environ, "HF_HOME": home})
        assert "m-Q8_0-00002-of-00002.gguf" in listed.stdout


def test_patterns_choose():
    with tempfile.TemporaryDirectory() as home:
        place = Path(pull(home, "ada/model", "--include", "data/", "--exclude", "*b.txt").stdout.strip())
        assert [str(p.relative_to(place)) for p in place.rglob("*") if p.is_file()] == ["data/a.txt"]
        shown = json.loads(pull(home, "ada/model", "--include", "*.bin", "--dry-run", "--json").stdout)
        assert shown["files"] == [{"name": "large.bin", "bytes": len(LARGE)}] and not shown["fetched"]


def test_what_is_not_there_is_explained():
    with tempfile.TemporaryDirectory() as home:
        missing = pull(home, "ada/nothing", expect=1).stderr
        assert "ada/nothing: there is no such repository" in missing and "HF_TOKEN" in missing, missing
        revision = pull(home, "ada/model@v9", expect=1).stderr
        assert "no revision v9" in revision and "there are: main, v1" in revision, revision
        assert "no such repository" in pull(home, "ada/secret", expect=1).stderr
        pull(home, "ada/secret", HF_TOKEN=hub.token)
        away = pull(home, "ada/model", endpoint="http://127.0.0.1:9", expect=1).stderr
        assert "there is no cache" in away or "not in the cache" in away, away


def check_goes_on_after(stop):
    """`stop(process)` ends a pull in the middle of the large file, and returns what the pull may have said."""
    held, go_on = threading.Event(), threading.Event()

    def hold(path, body):
        if "/resolve/" in path and "large.bin" in path and len(body) < len(LARGE) and not body.startswith(LARGE[:100]):
            held.set()
            go_on.wait(30)
        return body, False

    with tempfile.TemporaryDirectory() as home:
        proxy = ChangingProxy(hub, hold)
        process = subprocess.Popen([BOTHY, "pull", "ada/model:large.bin", "--connections", "2"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "HF_HOME": home, "HF_ENDPOINT": proxy.address, "HF_HUB_DISABLE_XET": "1"})
        assert held.wait(60)
        while not any(p.name.endswith(".incomplete") for p in blobs(home).iterdir()):
            pass
        stop(process)
        said = process.communicate(timeout=20)[1]  # while the hub still keeps it waiting
        go_on.set()
        proxy.close()
        assert [p.name for p in blobs(home).iterdir()] == [hashlib.sha256(LARGE).hexdigest() + ".bothy.incomplete"]
        left = json.loads(pull(home, "ada/model:large.bin", "--dry-run", "--json").stdout)["bytes_to_fetch"]
        assert left < len(LARGE), left
        place = pull(home, "ada/model:large.bin").stdout.strip()
        assert Path(place).read_bytes() == LARGE
    return process.returncode, said


def test_a_killed_pull_goes_on_where_it_stopped():
    code, _ = check_goes_on_after(lambda process: process.kill())
    assert code == -signal.SIGKILL


def test_an_interrupted_pull_says_so_and_goes_on_where_it_stopped():
    code, said = check_goes_on_after(lambda process: process.send_signal(signal.SIGINT))
    assert code == 130 and "Stopped. What has come is kept: the same command goes on from there." in said, (code, said)


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched():
    for xet in ("0", "1"):
        with tempfile.TemporaryDirectory() as home, small_disk(home, 24 << 20):
            said = pull(home, "ada/model", HF_HUB_DISABLE_XET=xet, expect=1).stderr
            told = re.search(rf"(\d+) bytes are to be fetched and the disk of {blobs(home).parent} has room for \d+", said)
            assert told and int(told[1]) >= len(LARGE), said
            resize(home, 128 << 20)
            snapshot = Path(pull(home, "ada/model", HF_HUB_DISABLE_XET=xet).stdout.strip())
            assert all((snapshot / path).read_bytes() == content for path, content in FILES.items())


def test_a_disk_that_gets_full_is_told_and_with_room_the_pull_goes_on():
    def fill(path, body):
        if "/resolve/" in path and "large.bin" in path and not Path(home, "filler").exists():
            leave_room(home, 1 << 20)
        return body, False

    with tempfile.TemporaryDirectory() as home, small_disk(home, 64 << 20):
        proxy = ChangingProxy(hub, fill)
        said = pull(home, "ada/model:large.bin", endpoint=proxy.address, HF_HUB_DISABLE_XET="1", expect=1).stderr
        proxy.close()
        assert re.search(rf"{blobs(home)}/\S+: .*No space left on device", said), said
        leave_room(home, None)
        place = pull(home, "ada/model:large.bin", HF_HUB_DISABLE_XET="1").stdout.strip()
        assert Path(place).read_bytes() == LARGE


def test_a_transfer_that_breaks_is_taken_up_again():
    broken = []

    def cut(path, body):
        if "/resolve/" in path and "large.bin" in path and len(broken) < 2:
            broken.append(path)
            return body[:len(body) // 2], True
        return body, False

    with tempfile.TemporaryDirectory() as home:
        proxy = ChangingProxy(hub, cut)
        place = pull(home, "ada/model:large.bin", endpoint=proxy.address, HF_HUB_DISABLE_XET="1").stdout.strip()
        proxy.close()
        assert len(broken) == 2 and Path(place).read_bytes() == LARGE


def test_what_was_changed_on_its_way_is_refused():
    def change(path, body):
        if "/resolve/" in path and "large.bin" in path:
            return body[:-1] + bytes([body[-1] ^ 1]), False
        if "/resolve/" in path and "README" in path:
            return body.replace(b"model", b"moden"), False
        return body, False

    with tempfile.TemporaryDirectory() as home:
        proxy = ChangingProxy(hub, change)
        for name, kind in (("large.bin", "SHA-256"), ("README.md", "git's SHA-1")):
            refused = pull(home, f"ada/model:{name}", endpoint=proxy.address, HF_HUB_DISABLE_XET="1", expect=1).stderr
            assert f"{name}: what" in refused and f"expected {kind}" in refused and "nothing of it was kept" in refused
            assert list(blobs(home).iterdir()) == [], list(blobs(home).iterdir())
        proxy.close()


def main():
    global hub
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(folder)
        try:
            functions = {n: f for n, f in globals().items() if not argument("--only") or argument("--only") in n}
            results = run_functions(functions, "Pull")
        finally:
            hub.stop()
    finish(results)


main()
