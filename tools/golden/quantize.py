#!/usr/bin/env python3
"""Writes tests/golden/quantize/quantize.bin: rows of f32, usual and extreme, and the blocks that ggml makes of them.

    tools/golden/quantize.py libggml-base.so tests/golden/quantize/quantize.bin

Made with the ggml of PyPI's llama-cpp-python 0.3.36 (clang 19, x86-64, so without fused multiply-adds) and numpy 2.4.6.
The file: number of f32 (u32), the f32; then records of the type's name (8 bytes, padded with zeros), bytes (u32) and
the blocks of all those f32. Little-endian. Left out are magnitudes at which ggml's own result depends on the compiler:
blocks below 1e-37 (it converts an infinite float to an integer) and above what an f16 scale can hold.
"""
import ctypes
import struct
import sys

import numpy as np

TYPES = {"Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22), "Q5_1": (7, 32, 24), "Q8_0": (8, 32, 34),
         "Q2_K": (10, 256, 84), "Q3_K": (11, 256, 110), "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176),
         "Q6_K": (14, 256, 210), "IQ4_NL": (20, 32, 18), "IQ4_XS": (23, 256, 136), "MXFP4": (39, 32, 17),
         "F16": (1, 1, 2), "BF16": (30, 1, 2)}
N = 256


def rows(rng):
    normal = lambda scale: rng.standard_normal(N) * scale
    yield normal(0.02)
    yield normal(1.0)
    yield np.zeros(N)
    yield np.where(rng.random(N) < 0.5, 0.0, -0.0)
    yield np.full(N, 0.37)
    yield np.full(N, -0.37)
    yield normal(1e-12)
    yield normal(1e-16)  # below what counts as nothing
    yield normal(1e-20)
    yield normal(1e-30)
    yield normal(2e3)
    outlier = normal(0.02)
    outlier[77] = 30.0
    yield outlier
    outlier = normal(0.02)
    outlier[200] = -3.0
    yield outlier
    yield rng.integers(-2, 3, N) * 0.01  # many equal magnitudes: which one is the extreme?
    yield rng.integers(-8, 8, N) * 0.0123
    yield normal(0.02) * (rng.random(N) < 0.25)
    yield (normal(0.02).astype(np.float32).view(np.uint32) & 0xffff0000).view(np.float32)
    yield normal(1.0) * np.repeat(np.array([0, 1e-16, 1, 1e-3, 1e3, 1e-8, 1e-2, 10.0] * 2), 16)  # groups apart
    yield np.abs(normal(0.02)) + 0.05
    yield -np.abs(normal(0.02)) - 0.01
    yield rng.laplace(0, 0.02, N)
    yield np.linspace(-1, 1, N)
    yield normal(0.02) + 1.0
    yield rng.random(N) * 2.0 ** rng.integers(-20, 10, N)


def main():
    ggml = ctypes.CDLL(sys.argv[1])
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    rng = np.random.default_rng(20240502)
    values = np.concatenate([np.asarray(row, dtype=np.float32) for row in rows(rng)])
    with open(sys.argv[2], "wb") as out:
        out.write(struct.pack("<I", values.size) + values.tobytes())
        for name, (number, elements, size) in TYPES.items():
            blocks = np.zeros(values.size // elements * size, dtype=np.uint8)
            ggml.ggml_quantize_chunk(number, values.ctypes.data_as(ctypes.c_void_p),
                                     blocks.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0), ctypes.c_int64(1),
                                     ctypes.c_int64(values.size), None)
            out.write(struct.pack("<8sI", name.encode(), blocks.nbytes) + blocks.tobytes())


main()
