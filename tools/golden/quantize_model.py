#!/usr/bin/env python3
"""Writes tests/golden/quantize_model/hashes.tsv: what llama.cpp makes of a small made-up model in every file type.

    tools/golden/quantize_model.py llama-quantize tests/golden/quantize_model/hashes.tsv

Made with the llama.cpp of PyPI's llama-cpp-python 0.3.36, gguf 0.19.0 and numpy 2.4.6. The first line names the file
types; each other line is an array of the model: name, stored type, shape outermost first, then for every file type its
type and the FNV-1a hash of its bytes. The values are in values() here and in the test.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, quants

from file_types import FILE_TYPES, save

LAYERS, WIDTH, FF, VOCABULARY = 3, 256, 288, 40


def arrays():
    yield "token_embd.weight", "BF16", (VOCABULARY, WIDTH)
    yield "output_norm.weight", "F32", (WIDTH,)
    yield "output.weight", "F32", (VOCABULARY, WIDTH)
    for i in range(LAYERS):
        yield f"blk.{i}.attn_norm.weight", "F32", (WIDTH,)
        yield f"blk.{i}.attn_q.weight", "F16", (WIDTH, WIDTH)
        yield f"blk.{i}.attn_k.weight", "F16", (64, WIDTH)
        yield f"blk.{i}.attn_v.weight", "BF16", (64, WIDTH)
        yield f"blk.{i}.attn_output.weight", "F32", (WIDTH, WIDTH)
        yield f"blk.{i}.ffn_up.weight", "F16", (FF, WIDTH)
        yield f"blk.{i}.ffn_down.weight", "F32", (WIDTH, FF)


def values(seed, count):
    """Not normal, but of all magnitudes between rows of 2^11."""
    i = np.arange(count, dtype=np.uint32)
    u = i * np.uint32(2654435761) + np.uint32(12345 + 977 * seed)
    u ^= u >> np.uint32(15)
    x = ((u >> np.uint32(8)).astype(np.int32) - (1 << 23)).astype(np.float32) / np.float32(1 << 23)
    return x * x * x * np.float32(2) ** (-((i >> np.uint32(11)) % 7).astype(np.float32))


def fnv(data):
    h = 1469598103934665603
    for byte in data:
        h = (h ^ byte) * 1099511628211 % 2**64
    return h


def write(path):
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FF)
    writer.add_head_count(4)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    for seed, (name, dtype, shape) in enumerate(arrays()):
        x = values(seed, int(np.prod(shape))).reshape(shape)
        dtype = GGMLQuantizationType[dtype]
        writer.add_tensor(name, quants.quantize(x, dtype), raw_dtype=dtype)
    save(writer)


def main():
    quantize, out = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, open(out, "w") as table:
        source, target = str(Path(folder, "source.gguf")), str(Path(folder, "target.gguf"))
        write(source)
        found = {name: [] for name, _, _ in arrays()}
        for file_type in FILE_TYPES:
            subprocess.run([quantize, source, target, file_type, "2"], check=True, capture_output=True)
            for tensor in GGUFReader(target).tensors:
                found[tensor.name] += [GGMLQuantizationType(tensor.tensor_type).name,
                                       f"{fnv(tensor.data.tobytes()):016x}"]
        table.write("\t".join(FILE_TYPES) + "\n")
        for name, dtype, shape in arrays():
            table.write("\t".join([name, dtype, "x".join(map(str, shape))] + found[name]) + "\n")


if __name__ == "__main__":
    main()
