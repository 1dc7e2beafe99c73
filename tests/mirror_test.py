#!/usr/bin/env python3
"""A hub that mirrors another one, as Python's client and git see it. Needs BOTHY and what tools/fetch_clients installs."""
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from harness import NotRun, argument, finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
from changing_proxy import ChangingProxy  # noqa: E402

BOTHY = os.environ.get("BOTHY", "build/dev/bothy")
CLIENTS = Path(os.environ.get("BOTHY_TEST_CLIENTS") or Path.home() / ".cache" / "bothy" / "clients")
PYTHON_CLIENT = CLIENTS / "huggingface_hub-2.4.0"
LARGE = hashlib.shake_128(b"mirror").digest(40_000_000)
FILES = {"README.md": b"# A model\n", "data/a.txt": b"a", "large.bin": LARGE, "small.safetensors": b"8" * 3000}
REFRESH = 1


class Hub:
    """`bothy serve` with one administrator, on the port that it had before where it is started again."""

    def __init__(self, data, user, *options):
        self.data, self.options, self.port = data, options, 0
        self.admin("user", "create", user, "--admin", "--password-stdin", stdin=b"correct horse battery\n")
        self.token = self.admin("token", "create", user, "--role", "write").strip()
        self.start()

    def start(self):
        with open(Path(self.data) / "server.log", "ab") as log:
            self.process = subprocess.Popen([BOTHY, "serve", "--listen", f"127.0.0.1:{self.port}", "--grace", "1",
                                             "--data", self.data, *self.options], stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline().decode()
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        return (Path(self.data) / "server.log").read_text()

    def admin(self, *args, stdin=b""):
        done = subprocess.run([BOTHY, "admin", *args, "--data", self.data], input=stdin, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def python(self, code, home, expect=0, **environment):
        """What a program of Python's client prints; its errors where it has to fail."""
        if not PYTHON_CLIENT.exists():
            raise NotRun("huggingface_hub-2.4.0 is not installed: tools/fetch_clients")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300,
                              env={**clean, "PYTHONPATH": str(PYTHON_CLIENT), "HF_ENDPOINT": self.address,
                                   "HF_HOME": str(home), "HF_HUB_DISABLE_PROGRESS_BARS": "1", **environment})
        assert (done.returncode == 0) == (expect == 0), (done.stdout, done.stderr)
        return done.stdout.strip() if expect == 0 else done.stderr

    def get(self, path, token=None, method="GET", headers=None):
        """Status, headers and body."""
        request = urllib.request.Request(self.address + path, method=method, headers=headers or {})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def metric(self, name):
        text = self.get("/metrics")[2].decode()
        return sum(float(v) for v in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))


original = None  # a hub with ada/model, ada/data (a data set) and the private ada/secret


def upload(hub, **files):
    """Changes files of ada/model; the new commit."""
    with tempfile.TemporaryDirectory() as home:
        return hub.python("import os\nfrom huggingface_hub import HfApi\n"
                          f"files = {files!r}\n"
                          "for path, text in files.items():\n"
                          "    made = HfApi().upload_file(path_or_fileobj=text.encode(), path_in_repo=path, "
                          "repo_id='ada/model')\nprint(made.oid)", home, HF_TOKEN=hub.token)


@contextmanager
def mirror(upstream=None, token=False, refresh=REFRESH):
    """An empty hub before another one (or before the original), and a folder for a client."""
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as home:
        options = ["--mirror-upstream", upstream or original.address, "--mirror-refresh", str(refresh)]
        if token:
            Path(data, "token").write_text(original.token + "\n")
            options += ["--mirror-token-file", str(Path(data, "token"))]
        hub = Hub(data, "keeper", *options)
        try:
            yield hub, home
        finally:
            hub.stop()


SNAPSHOT = "from huggingface_hub import snapshot_download\nprint(snapshot_download('ada/model'))"


def same(folder, files=None):
    return all((Path(folder) / path).read_bytes() == content for path, content in (files or FILES).items())


def doctor(hub):
    done = subprocess.run([BOTHY, "doctor", "--data", hub.data], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_model_is_brought_and_served_when_the_original_is_away():
    with mirror() as (hub, home):
        assert same(hub.python(SNAPSHOT, home))
        data = hub.python("from huggingface_hub import hf_hub_download as f\n"
                          "print(open(f('ada/data', 'rows.csv', repo_type='dataset')).read())", home)
        assert data == "a,b\n1,2", data
        original.kill()
        try:
            with tempfile.TemporaryDirectory() as other:
                assert same(hub.python(SNAPSHOT, other))
                assert same(hub.python(SNAPSHOT, other, HF_HUB_DISABLE_XET="1"))
            assert hub.get("/api/models/ada/unknown")[0] == 503
        finally:
            original.start()
        doctor(hub)


def test_xet_serves_what_has_come_and_plain_downloads_serve_what_is_to_come():
    with mirror() as (hub, home):
        status, headers, _ = hub.get("/ada/model/resolve/main/large.bin", method="HEAD")
        assert status == 200 and headers["X-Linked-Size"] == str(len(LARGE)) and headers["X-Xet-Hash"] is None
        assert hub.metric("bothy_mirror_bytes_total") == 0
        part = hub.get("/ada/model/resolve/main/large.bin", headers={"Range": "bytes=30000000-30000099"})
        assert part[0] == 206 and part[2] == LARGE[30_000_000:30_000_100]
        assert hub.get("/ada/model/resolve/main/large.bin")[2] == LARGE
        assert hub.get("/ada/model/resolve/main/large.bin", method="HEAD")[1]["X-Xet-Hash"]
        assert hub.metric("bothy_mirror_bytes_total") == len(LARGE)
        assert list(Path(hub.data, "mirror").iterdir()) == []


def test_two_clients_at_once_have_a_file_sent_once():
    proxy = ChangingProxy(original)
    with mirror(proxy.address) as (hub, home):
        hub.get("/api/models/ada/model")
        found = []
        threads = [threading.Thread(target=lambda: found.append(hub.get("/ada/model/resolve/main/large.bin")[2]))
                   for _ in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert found == [LARGE] * 4
        assert hub.metric("bothy_mirror_bytes_total") == len(LARGE)
        assert sum(p.startswith("/api/models/ada/model?") for p, _ in proxy.asked) == 1, proxy.asked
    proxy.close()


def test_a_change_is_seen_after_a_while():
    with mirror() as (hub, home):
        first = json.loads(hub.get("/api/models/ada/model")[2])["sha"]
        commit = upload(original, **{"README.md": "# Changed\n"})
        try:
            assert first != commit
            while json.loads(hub.get("/api/models/ada/model")[2])["sha"] != commit:
                pass
            assert hub.get("/ada/model/resolve/main/README.md")[2] == b"# Changed\n"
            assert hub.get(f"/ada/model/resolve/{first}/README.md")[2] == FILES["README.md"]
        finally:
            upload(original, **{"README.md": FILES["README.md"].decode()})


def test_git_clones_a_mirror_with_what_git_lfs_points_to():
    with mirror() as (hub, home):
        done = subprocess.run(["git", "clone", "-q", f"{hub.address}/ada/model", "clone"], cwd=home, text=True,
                              capture_output=True, env={**os.environ, "HOME": home, "GIT_LFS_SKIP_SMUDGE": "1",
                                                        "GIT_TERMINAL_PROMPT": "0"})
        assert done.returncode == 0, done.stderr
        pointer = Path(home, "clone", "large.bin").read_text()
        oid = re.search(r"oid sha256:(\w+)", pointer)[1]
        asked = json.dumps({"operation": "download", "objects": [{"oid": oid, "size": len(LARGE)}]}).encode()
        request = urllib.request.Request(f"{hub.address}/ada/model.git/info/lfs/objects/batch", data=asked)
        place = json.load(urllib.request.urlopen(request))["objects"][0]["actions"]["download"]["href"]
        assert urllib.request.urlopen(place).read() == LARGE


def test_a_mirror_is_changed_by_nobody_and_deleted_by_an_administrator():
    with mirror() as (hub, home):
        hub.get("/api/models/ada/model")
        code = "from huggingface_hub import HfApi; api = HfApi()\n"
        refused = hub.python(code + "api.upload_file(path_or_fileobj=b'x', path_in_repo='x', repo_id='ada/model')",
                             home, expect=1, HF_TOKEN=hub.token)
        assert "403" in refused and f"is a mirror of {original.address}/ada/model" in refused, refused
        hub.python(code + "api.delete_repo('ada/model')", home, HF_TOKEN=hub.token)


def test_what_the_original_hides_is_not_there():
    with mirror() as (hub, _):
        for path in ("/api/models/ada/secret", "/api/models/ada/nothing", "/ada/secret/resolve/main/README.md"):
            status, headers, _ = hub.get(path)
            assert status == 404 and headers["X-Error-Code"] == "RepoNotFound", (path, status)
        assert hub.get("/api/models/ada/secret", token=hub.token)[0] == 404
    with mirror(token=True) as (hub, _):
        assert hub.get("/api/models/ada/secret")[0] == 404
        assert hub.get("/api/models/ada/secret", token=hub.token)[0] == 200
        assert original.token not in hub.log()


def test_a_namespace_that_is_somebodys_is_not_mirrored():
    with mirror() as (hub, _):
        hub.admin("user", "create", "ada", "--password-stdin", stdin=b"correct horse battery\n")
        assert hub.get("/api/models/ada/model")[0] == 404


def test_what_was_changed_on_its_way_is_never_served_whole():
    def change(path, body):
        if "/lfs/objects/" in path and len(body) > 2_000_000:
            return body[:1_000_000] + bytes([body[1_000_000] ^ 1]) + body[1_000_001:], False
        return (b"7" * len(body) if body == FILES["small.safetensors"] else body), False

    proxy = ChangingProxy(original, change)
    with mirror(proxy.address, refresh=3600) as (hub, home):
        status, _, body = hub.get("/ada/model/resolve/main/small.safetensors")
        assert status == 502 and b"not what it should be" in body, (status, body)
        try:
            status, _, body = hub.get("/ada/model/resolve/main/large.bin")
            assert status == 502, status
        except Exception as error:  # noqa: BLE001 - the connection is cut in one way or another
            assert not isinstance(error, AssertionError), error
        status, _, body = hub.get("/ada/model/resolve/main/large.bin")
        assert status == 502 and b"not what it should be" in body, (status, body)
        assert list(Path(hub.data, "mirror").iterdir()) == []
        doctor(hub)
    proxy.close()


def test_a_file_whose_transfer_is_cut_goes_on_after_a_kill():
    cut = threading.Event()

    def hold(path, body):
        if "/lfs/objects/" in path and len(body) > 1_000_000 and not cut.is_set() and body[:10] != LARGE[:10]:
            threading.Event().wait(1000)
        return body, False

    proxy = ChangingProxy(original, hold)
    with mirror(proxy.address) as (hub, home):
        hub.get("/api/models/ada/model")
        place = f"{hub.address}/ada/model/resolve/main/large.bin"
        answer = urllib.request.urlopen(place)
        assert answer.read(10_000_000) == LARGE[:10_000_000]
        hub.kill()
        cut.set()
        hub.start()
        doctor(hub)
        asked = len(proxy.asked)
        assert hub.get("/ada/model/resolve/main/large.bin")[2] == LARGE
        assert not any(r and r.startswith("bytes=0-") for _, r in proxy.asked[asked:]), proxy.asked[asked:]
    proxy.close()


def main():
    global original
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as folder:
        original = Hub(data, "ada")
        try:
            if PYTHON_CLIENT.exists():
                for path, content in FILES.items():
                    Path(folder, path).parent.mkdir(exist_ok=True)
                    Path(folder, path).write_bytes(content)
                original.python("from huggingface_hub import HfApi; api = HfApi()\n"
                                "api.create_repo('ada/model'); api.create_repo('ada/secret', private=True)\n"
                                "api.create_repo('ada/data', repo_type='dataset')\n"
                                "api.upload_file(path_or_fileobj=b'a,b\\n1,2\\n', path_in_repo='rows.csv', "
                                "repo_id='ada/data', repo_type='dataset')\n"
                                f"api.upload_folder(repo_id='ada/model', folder_path={folder!r})", data,
                                HF_TOKEN=original.token)
            functions = {n: f for n, f in globals().items() if not argument("--only") or argument("--only") in n}
            results = run_functions(functions, "Mirror")
        finally:
            original.stop()
    finish(results)


main()
