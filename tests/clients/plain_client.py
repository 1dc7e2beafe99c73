"""A client without any library: what a push needs, in a few requests."""
import base64
import hashlib
import json
import urllib.request

from server import made_bytes


class PlainClient:
    """Pushes as git-lfs and huggingface_hub do: the large file, then a commit."""

    def __init__(self, server, size):
        """Large files of so many bytes."""
        self.server = server
        self.size = size

    def request(self, method, address, data=None, headers=(), **json_body):
        if json_body:
            data = json.dumps(json_body).encode()
        address = address if address.startswith("http") else self.server.address + address
        headers = dict(headers) or {"Authorization": f"Bearer {self.server.tokens['ada']}",
                                    "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(address, data, headers, method=method), timeout=60) as answer:
            return answer.read()

    def push(self, repository, number):
        """A large and a small file in one commit; the commit's id."""
        large, small = made_bytes(self.size, number), f"push {number}\n".encode()
        oid = hashlib.sha256(large).hexdigest()
        batch = json.loads(self.request("POST", f"/{repository}.git/info/lfs/objects/batch", operation="upload",
                                        transfers=["basic"], hash_algo="sha256", objects=[{"oid": oid, "size": self.size}]))
        actions = batch["objects"][0].get("actions", {})
        for name, method, body in (("upload", "PUT", large),
                                   ("verify", "POST", json.dumps({"oid": oid, "size": self.size}).encode())):
            if name in actions:
                self.request(method, actions[name]["href"], body, actions[name].get("header") or {"Accept": "*/*"})
        lines = [{"key": "header", "value": {"summary": f"push {number}", "description": ""}},
                 {"key": "file", "value": {"path": f"{number}.txt", "encoding": "base64",
                                           "content": base64.b64encode(small).decode()}},
                 {"key": "lfsFile", "value": {"path": f"{number}.bin", "algo": "sha256", "oid": oid, "size": self.size}}]
        answer = self.request("POST", f"/api/models/{repository}/commit/main", "\n".join(map(json.dumps, lines)).encode())
        return json.loads(answer)["commitOid"]

    def commits(self, repository):
        """All of them, the newest first."""
        found = []
        while page := json.loads(self.request("GET", f"/api/models/{repository}/commits/main?limit=100&p={len(found) // 100}")):
            found += page
            if len(page) < 100:
                break
        return found

    def check_pushed(self, repository, number):
        """Every byte of it."""
        assert self.request("GET", f"/{repository}/resolve/main/{number}.bin") == made_bytes(self.size, number)
        assert self.request("GET", f"/{repository}/resolve/main/{number}.txt") == f"push {number}\n".encode()

    def check(self, repository, acknowledged):
        """Every acknowledged commit, and every byte of what any commit has; the numbers of the pushes that are there."""
        there = {commit["id"]: commit["title"] for commit in self.commits(repository)}
        for number, commit in acknowledged.items():
            assert commit in there, f"push {number} was acknowledged as {commit}, which is not there"
        pushed = [int(title.split()[1]) for title in there.values() if title.startswith("push ")]
        for number in pushed:
            self.check_pushed(repository, number)
        return pushed
