"""A hub for tests of clients: `bothy serve` on a free port over a folder of its own."""
import hashlib
import os
import re
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

BOTHY = os.environ.get("BOTHY", "build/dev/bothy")
PASSWORD = "correct horse battery"
# Seconds until a server that was asked to stop has to be gone.
STOPS_WITHIN = 60


def made_bytes(size, seed):
    """The same for the same seed, and not compressible."""
    return hashlib.shake_128(str(seed).encode()).digest(size)


@contextmanager
def made_file(size, seed):
    """The path of a file of these bytes. (Clients send a path by Xet, and bytes or an open file by git-lfs.)"""
    with tempfile.NamedTemporaryFile() as file:
        file.write(made_bytes(size, seed))
        file.flush()
        yield file.name


class Server:
    """Users ada (who owns what the tests make) and bob, and the organization team, which ada administers."""

    def __init__(self, data, database="", tokens=None):
        """`tokens` are those of a server whose data were brought here, where there was one."""
        self.data = str(data)
        self.settings = {**os.environ, **({"BOTHY_DATABASE": database} if database else {})}
        self.port = 0
        if tokens:
            self.tokens = tokens
        else:
            self.make_users()
        self.start()

    def make_users(self):
        for user in ("ada", "bob"):
            self.admin("user", "create", user, "--password-stdin", stdin=PASSWORD + "\n")
        self.admin("org", "create", "team", "--member", "ada:admin")
        self.tokens = {user: self.admin("token", "create", user, "--role", "write").strip() for user in ("ada", "bob")}

    def start(self):
        """On the port that it had before, where it had one."""
        with open(Path(self.data) / "server.log", "ab") as log:
            self.process = subprocess.Popen([BOTHY, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.data],
                                            stdout=subprocess.PIPE, stderr=log, env=self.settings)
        line = self.process.stdout.readline().decode()
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def admin(self, *args, stdin=""):
        done = subprocess.run([BOTHY, "admin", *args, "--data", self.data], input=stdin, capture_output=True, text=True,
                              env=self.settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def environment(self, home):
        """What clients read: where the hub is, ada's token, and their own folder. And for `bothy`, where its data is."""
        return {"BOTHY_DATA": self.data, "HF_ENDPOINT": self.address, "HF_TOKEN": self.tokens["ada"], "BOB_TOKEN": self.tokens["bob"],
                "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                "HF_HUB_DISABLE_UPDATE_CHECK": "1"}

    def resident(self, field="VmRSS"):
        """Bytes of memory that it holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024

    def most_resident(self):
        """The most that it held since forget_most_resident."""
        return self.resident("VmHWM")

    def forget_most_resident(self):
        """Returns what it holds now, which is the most from here on."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self.resident()

    def kill(self):
        """Without a chance to clean up."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOPS_WITHIN)
