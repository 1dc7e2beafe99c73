#!/usr/bin/env python3
"""Writes a GGUF model of a known shape with random F16 weights, to measure speed with.

    bench/write_model.py tinyllama-1.1b /tmp/tinyllama.gguf

Speed does not depend on the values. There is no vocabulary in it, only its size: what is measured needs none. Other
types come from `bothy quantize` or llama-quantize. Needs numpy.
"""
import struct
import sys

import numpy as np

# layers, hidden, intermediate, heads, key heads, vocabulary, context, tied
SHAPES = {
    "tinyllama-1.1b": (22, 2048, 5632, 32, 4, 32000, 2048, False),
    "llama-3-8b": (32, 4096, 14336, 32, 8, 128256, 8192, False),
    "mistral-7b": (32, 4096, 14336, 32, 8, 32000, 32768, False),
}
ALIGNMENT = 32
STRING, U32, F32 = 8, 4, 6


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(f"usage: write_model.py {'|'.join(SHAPES)} OUT.gguf")
    layers, hidden, inner, heads, kv_heads, vocabulary, context, tied = SHAPES[sys.argv[1]]
    kv = hidden // heads * kv_heads
    metadata = [
        ("general.architecture", STRING, "llama"), ("general.name", STRING, sys.argv[1] + " random"),
        ("general.file_type", U32, 1), ("llama.block_count", U32, layers), ("llama.context_length", U32, context),
        ("llama.embedding_length", U32, hidden), ("llama.feed_forward_length", U32, inner),
        ("llama.attention.head_count", U32, heads), ("llama.attention.head_count_kv", U32, kv_heads),
        ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5), ("llama.rope.dimension_count", U32, hidden // heads),
        ("llama.vocab_size", U32, vocabulary), ("tokenizer.ggml.model", STRING, "no_vocab"),
    ]
    tensors = [("token_embd.weight", (vocabulary, hidden))]
    for i in range(layers):
        tensors += [(f"blk.{i}.{name}.weight", shape) for name, shape in (
            ("attn_norm", (hidden,)), ("attn_q", (hidden, hidden)), ("attn_k", (kv, hidden)), ("attn_v", (kv, hidden)),
            ("attn_output", (hidden, hidden)), ("ffn_norm", (hidden,)), ("ffn_gate", (inner, hidden)),
            ("ffn_up", (inner, hidden)), ("ffn_down", (hidden, inner)))]
    tensors.append(("output_norm.weight", (hidden,)))
    if not tied:
        tensors.append(("output.weight", (vocabulary, hidden)))

    random = np.random.default_rng(1)
    pool = (random.standard_normal(1 << 24, dtype=np.float32) * 0.02).astype(np.float16)
    with open(sys.argv[2], "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
        for key, kind, value in metadata:
            out.write(text(key) + struct.pack("<I", kind))
            out.write(text(value) if kind == STRING else struct.pack("<I" if kind == U32 else "<f", value))
        offset = 0
        for name, shape in tensors:
            plain = len(shape) == 1
            out.write(text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape)))
            out.write(struct.pack("<IQ", 0 if plain else 1, offset))
            size = int(np.prod(shape)) * (4 if plain else 2)
            offset += (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        out.write(b"\0" * (-out.tell() % ALIGNMENT))
        for name, shape in tensors:
            count = int(np.prod(shape))
            if len(shape) == 1:
                out.write(np.ones(count, np.float32).tobytes())
            while count > 0 and len(shape) == 2:
                start = int(random.integers(1 << 20))
                piece = pool[start:start + min(count, 1 << 23)]
                out.write(piece.tobytes())
                count -= len(piece)
            out.write(b"\0" * (-out.tell() % ALIGNMENT))


main()
