#!/usr/bin/env python3
"""Writes tests/golden/blake3: hashes by the reference implementation of messages as the official test vectors have them,
bytes 0 to 250 over and over, plain and with the vectors' key; a line is length, hash, keyed hash.

Made with blake3 1.0.11 (PyPI, around the reference's Rust):  tools/golden/blake3_hashes.py tests/golden/blake3
"""
import sys
from pathlib import Path

from blake3 import blake3

KEY = b"whats the Elvish word for friend"
# Where a block, a chunk, a subtree of 2^n chunks, 8 and 16 lanes and our sweep of 128 chunks end, and beside it.
EDGES = [0, 1, 64, 128, 1024, 2048, 3072, 4096, 5120, 6144, 7168, 8192, 9216, 15 << 10, 16 << 10, 17 << 10, 24 << 10,
         31 << 10, 32 << 10, 64 << 10, 100 << 10, 127 << 10, 128 << 10, 129 << 10, 256 << 10, 300 << 10]
LENGTHS = sorted({n for edge in EDGES for n in (edge - 1, edge, edge + 1) if n >= 0} | {960, 1000, 1984, 102400, 99999})

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
lines = []
for n in LENGTHS:
    message = (bytes(range(251)) * (n // 251 + 1))[:n]
    lines.append(f"{n}\t{blake3(message).hexdigest()}\t{blake3(message, key=KEY).hexdigest()}\n")
(out / "hashes.tsv").write_text("".join(lines))
