#!/usr/bin/env python3
"""Writes tests/golden/dequantize/dequantize.bin: random block bytes of every quantized type with the f32 values that
gguf's quants.dequantize gives for them, and every value of the 8-bit floats as ml_dtypes reads them.

Made with gguf 0.19.0, ml_dtypes 0.6.0, numpy 2.4.6:  tools/golden/dequantize.py tests/golden/dequantize/dequantize.bin

The file is a row of records: the type's name (8 bytes, padded with zeros), bytes of blocks (u32), elements (u32), the
blocks, the elements (f32). Little-endian.
"""
import struct
import sys

import ml_dtypes
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

# Offsets of the f16 fields in a block; random bits there would often be infinite or not a number.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": []}
# Zeros, the least and greatest subnormal, the least normal, one, the greatest, and the negative ones.
EXTREME = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0x8001, 0x83ff, 0xbc00, 0xfbff]


def blocks_of(rng, name):
    elements, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    count = 2048 // elements
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    blocks[0] = 0
    blocks[1] = 255
    for field in SCALES[name]:
        scales = rng.integers(0, 0x7c00, count, dtype=np.uint16) | (rng.integers(0, 2, count).astype(np.uint16) << 15)
        for i in range(count):
            if rng.integers(0, 2):
                scales[i] = EXTREME[rng.integers(0, len(EXTREME))]
        scales[:2] = 0x2e66, 0xae66  # about +-0.1, for all zeros and all ones
        blocks[:, field:field + 2] = scales.view(np.uint8).reshape(count, 2)
    if name == "MXFP4":
        blocks[:8, 0] = [0, 1, 2, 3, 127, 253, 254, 255]
    return blocks


def main():
    rng = np.random.default_rng(20240501)
    with open(sys.argv[1], "wb") as out:
        def record(name, data, values):
            values = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
            out.write(struct.pack("<8sII", name.encode(), data.nbytes, values.size) + data.tobytes() + values.tobytes())

        for name in SCALES:
            blocks = blocks_of(rng, name)
            with np.errstate(over="ignore"):
                record(name, blocks, quants.dequantize(blocks, GGMLQuantizationType[name]))
        every_byte = np.arange(256, dtype=np.uint8)
        record("F8_E4M3", every_byte, every_byte.view(ml_dtypes.float8_e4m3fn).astype(np.float32))
        record("F8_E5M2", every_byte, every_byte.view(ml_dtypes.float8_e5m2).astype(np.float32))
        record("F8_E8M0", every_byte, every_byte.view(ml_dtypes.float8_e8m0fnu).astype(np.float32))
        halves = rng.integers(0, 0x7c00, 512, dtype=np.uint16)
        record("F16", halves, quants.dequantize(halves, GGMLQuantizationType.F16))
        record("BF16", halves, quants.dequantize(halves.view(np.uint8), GGMLQuantizationType.BF16))


main()
