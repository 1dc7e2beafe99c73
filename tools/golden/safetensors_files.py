#!/usr/bin/env python3
"""Writes tests/golden/safetensors/all_types.safetensors by the reference's writer, with what it holds in all_types.json:
name: {dtype, shape, data (hexadecimal)}.

Made with safetensors 0.8.0, numpy 2.4.6:  tools/golden/safetensors_files.py tests/golden/safetensors
"""
import json
import sys
from pathlib import Path

import numpy as np
from safetensors import TensorSpec, serialize_file

TYPES = {"BOOL": ("bool", 1), "U8": ("uint8", 1), "I8": ("int8", 1), "F8_E5M2": ("float8_e5m2", 1),
         "F8_E4M3": ("float8_e4m3fn", 1), "F8_E8M0": ("float8_e8m0fnu", 1), "I16": ("int16", 2), "U16": ("uint16", 2),
         "F16": ("float16", 2), "BF16": ("bfloat16", 2), "I32": ("int32", 4), "U32": ("uint32", 4),
         "F32": ("float32", 4), "C64": ("complex64", 8), "F64": ("float64", 8), "I64": ("int64", 8),
         "U64": ("uint64", 8)}


def main():
    folder = Path(sys.argv[1])
    rng = np.random.default_rng(11)
    specs, expected, keep = {}, {}, []

    def add(name, kind, shape):
        reference, size = TYPES[kind]
        data = rng.integers(0, 2 if kind == "BOOL" else 256, int(np.prod(shape)) * size, dtype=np.uint8)
        keep.append(data)
        specs[name] = TensorSpec(dtype=reference, shape=shape, data_ptr=data.ctypes.data, data_len=data.nbytes)
        expected[name] = {"dtype": kind, "shape": shape, "data": data.tobytes().hex()}

    for kind in TYPES:
        add(f"tensor.{kind}", kind, [3, 2])
        add(f"scalar.{kind}", kind, [])
    add("empty", "F32", [2, 0])
    add('quotes " \\ / \n \x01 and ünïcode 日', "U8", [1])
    serialize_file(specs, str(folder / "all_types.safetensors"), {"format": "pt"})
    (folder / "all_types.json").write_text(json.dumps(expected, indent=0) + "\n")


main()
