#!/usr/bin/env python3
"""Broken xorbs and shards from a user who may send some: answered 4xx, in bounded memory, no trace left. Needs BOTHY."""
import hashlib
import http.client
import json
import struct
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from harness import finish, run_functions

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS / "clients"))
from server import BOTHY, Server  # noqa: E402

# What hf-xet posted for three contents.
GOLDEN = TESTS / "golden" / "xet"
FILES = json.loads((GOLDEN / "uploads.json").read_text())["files"]
XORBS = {file["name"]: (GOLDEN / f"{file['name']}.xorb").read_bytes() for file in FILES}
SHARDS = {file["name"]: (GOLDEN / f"{file['name']}.shard").read_bytes() for file in FILES}
HASHES = {file["name"]: file["xorb_hash"] for file in FILES}
MAX_CHUNK, MAX_XORB, MAX_CHUNKS = 128 << 10, 64 << 20, 8192
# The most that the server may grow by in all of this: less than the content of one xorb. The address sanitizer keeps what
# was freed, up to 256 MB of it.
GROWS_BY = (320 if b"__asan_init" in Path(BOTHY).read_bytes() else 48) << 20
RECORD = 48


def send(method, path, body, token):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ConnectionError:
        return 0, b""  # refused before all was sent, and the answer lost to a reset
    finally:
        connection.close()


def send_xorb(body, name="random"):
    return send("POST", f"/xet/v1/xorbs/default/{HASHES[name]}", body, token)


def send_shard(body):
    return send("POST", "/xet/v1/shards", body, token)


def refused(answer):
    """With the reason. 501 is the answer to versions and flags that are not known."""
    reason = answer[0] in (400, 413, 422, 501) and json.loads(answer[1])["error"]
    return reason and (answer[0] != 501 or "known" in reason)


def chunk(scheme, stored, raw, data):
    """Its header, which may lie, and what follows."""
    return b"\0" + stored.to_bytes(3, "little") + bytes([scheme]) + raw.to_bytes(3, "little") + data


def xxh32(data):
    """Of fewer than 16 bytes."""
    p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
    def rotated(value, by):
        return (value << by | value >> (32 - by)) & 0xffffffff
    h = p5 + len(data)
    lanes, rest = data[:len(data) // 4 * 4], data[len(data) // 4 * 4:]
    for (lane,) in struct.iter_unpack("<I", lanes):
        h = rotated((h + lane * p3) & 0xffffffff, 17) * p4 & 0xffffffff
    for byte in rest:
        h = rotated((h + byte * p5) & 0xffffffff, 11) * p1 & 0xffffffff
    h = (h ^ h >> 15) * p2 & 0xffffffff
    h = (h ^ h >> 13) * p3 & 0xffffffff
    return h ^ h >> 16


def zeros(size, claims=None):
    """An LZ4 frame of so many zeros in blocks of up to 4 MB, which may claim another size for its content."""
    head = bytes([0x60 if claims is None else 0x68, 0x70]) + (b"" if claims is None else struct.pack("<Q", claims))
    frame = struct.pack("<I", 0x184D2204) + head + bytes([xxh32(head) >> 8 & 0xff])
    while size > 0:
        here = min(size, 4 << 20)
        more = here - 1 - 5 - 4 - 15  # beyond a literal, the literals at the end, and what the token says
        block = b"\x1f\0\x01\0" + b"\xff" * (more // 255) + bytes([more % 255]) + b"\x50" + b"\0" * 5
        frame += struct.pack("<I", len(block)) + block
        size -= here
    return frame + b"\0" * 4


def test_xorbs_that_end_anywhere_are_refused():
    for name, xorb in XORBS.items():
        for size in {0, 1, 7, 8, 9, 100, len(xorb) // 2, len(xorb) - 9, len(xorb) - 1}:
            answer = send_xorb(xorb[:size], name)
            assert refused(answer), f"{name}, {size} bytes: {answer}"
        answer = send_xorb(xorb + xorb[:8], name)
        assert refused(answer), f"{name} and a header more: {answer}"


def test_a_xorb_under_the_hash_of_another_is_refused():
    assert refused(send_xorb(XORBS["letters"], "random"))
    flipped = "0123456789abcdef"[int(HASHES["random"][-1], 16) ^ 1]
    path = f"/xet/v1/xorbs/default/{HASHES['random'][:-1]}{flipped}"
    assert refused(send("POST", path, XORBS["random"], token))


def test_any_changed_byte_of_a_xorb_is_noticed():
    xorb = XORBS["random"]  # not compressed: every byte counts
    for position in [*range(16), *range(16, len(xorb), 10_007), len(xorb) - 1]:
        changed = bytearray(xorb)
        changed[position] ^= 0x10
        answer = send_xorb(bytes(changed))
        assert refused(answer), f"position {position}: {answer}"


def test_frames_are_made_as_lz4_makes_them():
    # Its hash is another, and nothing else is wrong with it.
    frame = zeros(MAX_CHUNK)
    answer = send_xorb(chunk(1, len(frame), MAX_CHUNK, frame))
    assert refused(answer) and b"hash" in answer[1], answer


def test_chunks_that_unpack_to_more_than_they_say_are_refused():
    for size in (MAX_CHUNK + 1, 1 << 20, 48 << 20):
        frame = zeros(size)
        answer = send_xorb(chunk(1, len(frame), MAX_CHUNK, frame))
        assert refused(answer) and b"hash" not in answer[1], f"{size} bytes: {answer}"
    for scheme in (1, 2):
        frame = zeros(MAX_CHUNK, claims=1 << 60)
        answer = send_xorb(chunk(scheme, len(frame), MAX_CHUNK, frame))
        assert refused(answer) and b"hash" not in answer[1], answer
    # Less than they say, and nothing at all.
    for frame in (zeros(1000), b"\0" * 100):
        answer = send_xorb(chunk(1, len(frame), MAX_CHUNK, frame))
        assert refused(answer) and b"hash" not in answer[1], answer


def test_sizes_beyond_the_limits_are_refused():
    one = zeros(MAX_CHUNK)
    full = chunk(1, len(one), MAX_CHUNK, one)
    for what, body in {"a large chunk": chunk(0, MAX_CHUNK + 1, MAX_CHUNK + 1, b"x" * (MAX_CHUNK + 1)),
                       "an endless chunk": chunk(1, 0xffffff, 0xffffff, b"x" * 1000),
                       "an empty chunk": chunk(0, 0, 0, b""),
                       "too many chunks": chunk(0, 1, 1, b"x") * (MAX_CHUNKS + 1),
                       "too many bytes": full * (MAX_XORB // MAX_CHUNK + 1)}.items():
        answer = send_xorb(body)
        assert refused(answer) and b"hash" not in answer[1], f"{what}: {answer}"
    # At the limits only the hash is wrong.
    for body in (chunk(0, 1, 1, b"x") * MAX_CHUNKS, full * (MAX_XORB // MAX_CHUNK)):
        answer = send_xorb(body)
        assert refused(answer) and b"hash" in answer[1], answer


def test_shards_that_end_anywhere_are_refused():
    for name, shard in SHARDS.items():
        for size in {*range(0, len(shard), RECORD), 1, 47, 49, len(shard) - 1}:
            answer = send_shard(shard[:size])
            assert refused(answer), f"{name}, {size} bytes: {answer}"


def test_shards_of_lies_are_refused():
    shard = SHARDS["random"]
    for position, what in ((RECORD + 36, "ranges"), (RECORD, "the file's hash"), (2 * RECORD, "a xorb's hash"),
                           (0, "the tag"), (32, "the version")):
        for value in (0xffffffff, 0x7fffffff, 1 << 20):
            lying = bytearray(shard)
            lying[position:position + 4] = struct.pack("<I", value)
            answer = send_shard(bytes(lying))
            assert refused(answer), f"{what} {value}: {answer}"
    # Of a xorb that nobody has sent.
    assert refused(send_shard(shard))


def test_no_changed_byte_of_a_shard_is_more_than_a_refusal():
    shard = SHARDS["floats"]
    for position in range(0, len(shard), 5):
        changed = bytearray(shard)
        changed[position] ^= 0xff
        answer = send_shard(bytes(changed))
        assert refused(answer), f"position {position}: {answer}"


def test_zz_nothing_is_left_and_what_is_right_is_taken():
    grown = server.most_resident() - resident_before
    assert grown < GROWS_BY, f"{grown >> 20} MiB"
    assert not [path for path in Path(server.data, "blobs").rglob("*") if path.is_file()]
    doctor = subprocess.run([BOTHY, "doctor", "--data", server.data], capture_output=True, text=True)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    for file in FILES:
        assert send_xorb(XORBS[file["name"]], file["name"])[0] == 200
        assert send_shard(SHARDS[file["name"]])[0] == 200
    lines = [{"key": "header", "value": {"summary": "all", "description": ""}}] + [
        {"key": "lfsFile", "value": {"path": file["name"], "algo": "sha256", "oid": file["sha256"], "size": file["size"]}}
        for file in FILES]
    answer = send("POST", "/api/models/ada/target/commit/main", "\n".join(map(json.dumps, lines)), server.tokens["ada"])
    assert answer[0] == 200, answer
    for file in FILES:
        data = urllib.request.urlopen(f"{server.address}/ada/target/resolve/main/{file['name']}").read()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    print(f"the server grew by {grown / 1e6:.1f} MB")


with tempfile.TemporaryDirectory() as folder:
    server = Server(folder)
    try:
        made = send("POST", "/api/repos/create", json.dumps({"name": "target", "organization": "ada"}), server.tokens["ada"])
        assert made[0] == 200, made
        given = send("GET", "/api/models/ada/target/xet-write-token/main", None, server.tokens["ada"])
        token = json.loads(given[1])["accessToken"]
        resident_before = server.forget_most_resident()
        results = run_functions(globals(), "HubHostileXet")
    finally:
        server.kill()
finish(results)
