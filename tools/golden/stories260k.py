#!/usr/bin/env python3
"""tests/golden/stories260k: the greedy text of karpathy's stories260K.bin (llama2.c, version 0), in double precision.

Made with numpy 2.4.6, Python 3.11. A forward pass of its own after the LLaMA paper, over the whole text at every step and
without a cache; the first words are those that llama2.c's page gives for temperature 0.

usage: stories260k.py stories260K.bin tok512.bin OUT
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np

STEPS = 256


def read_model(path, dtype):
    data = Path(path).read_bytes()
    dim, inner, layers, heads, kv_heads, vocabulary, context = struct.unpack("<7i", data[:28])
    assert vocabulary > 0  # the output is the embeddings
    numbers = np.frombuffer(data, np.float32, offset=28).astype(dtype)
    kv, at, model = dim // heads * kv_heads, 0, {}
    for name, shape in (("embeddings", (vocabulary, dim)), ("attention_norm", (layers, dim)),
                        ("q", (layers, dim, dim)), ("k", (layers, kv, dim)), ("v", (layers, kv, dim)),
                        ("o", (layers, dim, dim)), ("mlp_norm", (layers, dim)), ("gate", (layers, inner, dim)),
                        ("down", (layers, dim, inner)), ("up", (layers, inner, dim)), ("norm", (dim,))):
        size = int(np.prod(shape))
        model[name] = numbers[at:at + size].reshape(shape)
        at += size
    return model, layers, heads, kv_heads, dim // heads


def norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight


def rotate(x):  # [tokens, heads, size]: pairs of neighbours
    tokens, _, size = x.shape
    angles = np.arange(tokens)[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angles)[:, None]
    return np.stack([turned.real, turned.imag], -1).reshape(x.shape).astype(x.dtype)


def logits(parts, ids):
    m, layers, heads, kv_heads, size = parts
    x = m["embeddings"][ids]
    n = len(ids)
    future = np.triu(np.full((n, n), -np.inf, x.dtype), 1)
    for i in range(layers):
        y = norm(x, m["attention_norm"][i])
        q = rotate((y @ m["q"][i].T).reshape(n, heads, size))
        k = rotate((y @ m["k"][i].T).reshape(n, kv_heads, size)).repeat(heads // kv_heads, 1)
        v = (y @ m["v"][i].T).reshape(n, kv_heads, size).repeat(heads // kv_heads, 1)
        scores = np.einsum("qhd,khd->hqk", q, k) * x.dtype.type(size ** -0.5) + future
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        x = x + np.einsum("hqk,khd->qhd", weights, v).reshape(n, -1) @ m["o"][i].T
        y = norm(x, m["mlp_norm"][i])
        gate = y @ m["gate"][i].T
        x = x + (gate / (1 + np.exp(-gate)) * (y @ m["up"][i].T)) @ m["down"][i].T
    return norm(x, m["norm"]) @ m["embeddings"].T


def pieces(path):
    data, at, out = Path(path).read_bytes(), 4, []
    while at < len(data):
        _, length = struct.unpack("<fi", data[at:at + 8])
        out.append(data[at + 8:at + 8 + length])
        at += 8 + length
    return out


def main():
    parts, names = read_model(sys.argv[1], np.float64), pieces(sys.argv[2])
    ids, smallest_gap = [1], np.inf
    while len(ids) <= STEPS:
        last = logits(parts, ids)[-1]
        best = np.sort(last)[-2:]
        smallest_gap = min(smallest_gap, best[1] - best[0])
        ids.append(int(last.argmax()))
    single = logits(read_model(sys.argv[1], np.float32), ids[:-1])[-1]
    assert single.dtype == np.float32
    spelled = b"".join(bytes([int(names[i][3:5], 16)]) if names[i].startswith(b"<0x") else names[i] for i in ids[1:])
    out = Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    (out / "golden.json").write_text(json.dumps({
        "ids": ids, "text": spelled.decode().lstrip(" "), "smallest_gap": float(smallest_gap),
        "f32_difference": float(np.abs(single - last).max()), "last_logits": [float(f"{value:.9g}") for value in last]}) + "\n")


main()
