"""Pushes in a few plain requests, and whether what they brought is there: for tests of what happens beside them."""
import base64
import hashlib
import json
import urllib.request

from server import made_bytes

SIZE = 3_000_000  # of the large file of each push


class Hub:
    """What a client needs to push, in a few requests (git-lfs for the large file, then a commit)."""

    def __init__(self, server):
        self.server = server

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
        large, small = made_bytes(SIZE, number), f"push {number}\n".encode()
        oid = hashlib.sha256(large).hexdigest()
        batch = json.loads(self.request("POST", f"/{repository}.git/info/lfs/objects/batch", operation="upload",
                                        transfers=["basic"], hash_algo="sha256", objects=[{"oid": oid, "size": SIZE}]))
        actions = batch["objects"][0].get("actions", {})
        for name, method, body in (("upload", "PUT", large),
                                   ("verify", "POST", json.dumps({"oid": oid, "size": SIZE}).encode())):
            if name in actions:
                self.request(method, actions[name]["href"], body, actions[name].get("header") or {"Accept": "*/*"})
        lines = [{"key": "header", "value": {"summary": f"push {number}", "description": ""}},
                 {"key": "file", "value": {"path": f"{number}.txt", "encoding": "base64",
                                           "content": base64.b64encode(small).decode()}},
                 {"key": "lfsFile", "value": {"path": f"{number}.bin", "algo": "sha256", "oid": oid, "size": SIZE}}]
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


def check(hub, repository, acknowledged):
    """Every acknowledged commit, and every byte of what any commit has."""
    there = {commit["id"]: commit["title"] for commit in hub.commits(repository)}
    for number, commit in acknowledged.items():
        assert commit in there, f"push {number} was acknowledged as {commit}, which is not there"
    pushed = [int(title.split()[1]) for title in there.values() if title.startswith("push ")]
    for number in pushed:
        assert hub.request("GET", f"/{repository}/resolve/main/{number}.bin") == made_bytes(SIZE, number)
        assert hub.request("GET", f"/{repository}/resolve/main/{number}.txt") == f"push {number}\n".encode()
    return pushed
