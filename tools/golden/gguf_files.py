#!/usr/bin/env python3
"""Writes tests/golden/gguf: files by the reference's writer, and what they hold in JSON.

Made with gguf 0.19.0, numpy 2.4.6:  tools/golden/gguf_files.py tests/golden/gguf

all_types.gguf: metadata of every type of value, an array of every type, arrays within arrays, and one tensor of every
type that the writer has and Bothy reads. all_types.json: "metadata": [key, type, value] in the file's order, a value of
type array being [type, values]; "tensors": name: {dtype, shape (outermost first), offset, data (hexadecimal)}.
no_tensors.gguf: alignment 128, no tensor.
"""
import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter

NAMES = {"UINT8": "u8", "INT8": "i8", "UINT16": "u16", "INT16": "i16", "UINT32": "u32", "INT32": "i32",
         "FLOAT32": "f32", "BOOL": "bool", "STRING": "string", "UINT64": "u64", "INT64": "i64", "FLOAT64": "f64"}
VALUES = {"UINT8": [0, 255], "INT8": [-128, 127], "UINT16": [0, 65535], "INT16": [-32768, 32767],
          "UINT32": [0, 2**32 - 1], "INT32": [-2**31, 2**31 - 1], "FLOAT32": [0.0, 1.5, -2.0**-10, 65536.5],
          "BOOL": [True, False], "STRING": ["", "naïve", "日本語 \U0001f600", "x" * 300],
          "UINT64": [0, 2**64 - 1], "INT64": [-2**63, 2**63 - 1], "FLOAT64": [0.1, -0.0025, 1e300]}
TENSORS = ["F32", "F16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL",
           "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "BF16", "MXFP4"]


def add_metadata(writer):
    expected = [["general.architecture", "string", "test"]]

    def add(key, kind, value, sub_type=None, shown=None):
        writer.add_key_value(key, value, GGUFValueType[kind], sub_type)
        expected.append([key, NAMES.get(kind, "array"), value if shown is None else shown])

    for kind, values in VALUES.items():
        for i, value in enumerate(values):
            add(f"one.{kind}.{i}", kind, value)
        add(f"many.{kind}", "ARRAY", values, GGUFValueType[kind], [NAMES[kind], values])
    add("nested", "ARRAY", [[1, 2], [3], [4, 5, 6]], GGUFValueType.ARRAY,
        ["array", [["i32", [1, 2]], ["i32", [3]], ["i32", [4, 5, 6]]]])
    add("nested.strings", "ARRAY", [["a", ""], ["bc"]], GGUFValueType.ARRAY,
        ["array", [["string", ["a", ""]], ["string", ["bc"]]]])
    return expected


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    folder = Path(sys.argv[1])
    rng = np.random.default_rng(7)
    writer = GGUFWriter(folder / "all_types.gguf", "test")
    expected = {"metadata": add_metadata(writer), "tensors": {}}
    for name in TENSORS:
        kind = GGMLQuantizationType[name]
        elements, size = GGML_QUANT_SIZES[kind]
        shape = (3, 2, elements if elements > 1 else 5)
        data = rng.integers(0, 256, (3, 2, shape[2] // elements * size), dtype=np.uint8)
        writer.add_tensor(f"tensor.{name}", data, raw_shape=data.shape, raw_dtype=kind)
        expected["tensors"][f"tensor.{name}"] = {"dtype": name, "shape": list(shape), "data": data.tobytes().hex()}
    scalar = np.array([1.25], dtype=np.float32)
    writer.add_tensor("vector", scalar)
    expected["tensors"]["vector"] = {"dtype": "F32", "shape": [1], "data": scalar.tobytes().hex()}
    close(writer)
    for tensor in GGUFReader(folder / "all_types.gguf").tensors:
        expected["tensors"][tensor.name]["offset"] = int(tensor.data_offset)
    (folder / "all_types.json").write_text(json.dumps(expected, ensure_ascii=False, indent=0) + "\n")

    writer = GGUFWriter(folder / "no_tensors.gguf", "test")
    writer.add_custom_alignment(128)
    close(writer)


main()
