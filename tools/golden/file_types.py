#!/usr/bin/env python3
"""Writes tests/golden/file_types/types.tsv: the type that llama.cpp gives each tensor of made-up models, for every file
type that Bothy writes.

    tools/golden/file_types.py llama-quantize tests/golden/file_types/types.tsv

Made with the llama.cpp of PyPI's llama-cpp-python 0.3.36 and gguf 0.19.0. Only names, shapes and a few numbers of the
metadata decide, so the matrices here have two rows. A line "model" opens each model (name, architecture, layers, heads,
key-value heads, experts); the lines after it are its tensors in the order that it was written in: name, shape outermost
first, and a letter for each file type of the first line; the second line says which type the letters stand for. All
are stored as F32.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter

FILE_TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L",
              "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "IQ4_NL", "IQ4_XS"]
LETTERS = {"F32": "F", "F16": "H", "BF16": "B", "Q4_0": "a", "Q4_1": "b", "Q5_0": "c", "Q5_1": "d", "Q8_0": "8",
           "Q2_K": "2", "Q3_K": "3", "Q4_K": "4", "Q5_K": "5", "Q6_K": "6", "IQ4_NL": "N", "IQ4_XS": "X"}


def llama(layers, width, ff=None, tied=False, only=None, experts=0, fused=False, reverse=False):
    """Names and shapes of a model's tensors; `only` keeps of each layer those that contain one of the strings."""
    ff = ff or width
    yield "token_embd.weight", (2, width)
    if not tied:
        yield "output.weight", (2, width)
    yield "output_norm.weight", (width,)
    numbers = range(layers - 1, -1, -1) if reverse else range(layers)
    for i in numbers:
        parts = [("attn_output.weight", (2, width))]
        parts += [("attn_norm.weight", (width,)), ("ffn_norm.weight", (width,))] if layers < 4 else []
        if fused:
            parts += [("attn_qkv.weight", (2, width)), ("attn_qkv.bias", (width,))]
        else:
            parts += [(f"attn_{x}.weight", (2, width)) for x in "qkv"]
        if experts:
            parts += [("ffn_gate_inp.weight", (experts, width)), ("ffn_gate_exps.weight", (experts, 2, width)),
                      ("ffn_up_exps.weight", (experts, 2, width)), ("ffn_down_exps.weight", (experts, 2, ff))]
        else:
            parts += [("ffn_up.weight", (2, width)), ("ffn_down.weight", (2, ff))]
            parts += [] if fused else [("ffn_gate.weight", (2, width))]
        for name, shape in parts:
            if only is None or any(x in name for x in only):
                yield f"blk.{i}.{name}", shape


# name, architecture, layers, heads, key-value heads, experts, tensors
MODELS = [
    ("small", "llama", 2, 4, 4, 0, llama(2, 256)),
    ("tied grouped", "llama", 16, 32, 8, 0, llama(16, 512, tied=True)),
    ("grouped by 8", "llama", 22, 32, 4, 0, llama(22, 256, 512)),
    ("rows of 576", "llama", 30, 9, 3, 0, llama(30, 576, 1536, tied=True)),
    ("written backwards", "llama", 12, 8, 2, 0, llama(12, 256, reverse=True)),
    ("80 layers grouped", "llama", 80, 64, 8, 0, llama(80, 256, only=["attn_v", "attn_output", "ffn_down"])),
    ("80 layers", "llama", 80, 64, 64, 0, llama(80, 256, only=["attn_v", "ffn_down"])),
    ("80 layers qwen2", "qwen2", 80, 64, 8, 0, llama(80, 256, only=["attn_v", "ffn_down"])),
    ("8 experts", "llama", 32, 32, 8, 8, llama(32, 256, experts=8, only=["attn_", "down", "ffn_gate"])),
    ("4 experts", "llama", 10, 8, 8, 4, llama(10, 256, experts=4)),
    ("fused", "phi3", 12, 8, 8, 0, llama(12, 256, fused=True)),
    ("falcon", "falcon", 32, 8, 1, 0, llama(32, 256, fused=True)),
    ("rows of 40", "llama", 3, 4, 4, 0, llama(3, 40, 96)),
    ("rows of 96", "llama", 3, 4, 4, 0, llama(3, 96, 288)),
    ("odd tensors", "llama", 1, 4, 4, 0,
     [("token_embd.weight", (2, 256)), ("output.weight", (1, 256)), ("blk.0.attn_q.bias", (256,)),
      ("blk.0.attn_q.weight", (256, 1)), ("blk.0.attn_v.weight", (1, 2, 256)), ("blk.0.attn_q_norm.weight", (2, 256)),
      ("position_embd.weight", (2, 256)), ("token_types.weight", (2, 256)), ("rope_freqs.weight", (64,)),
      ("blk.0.ssm_conv1d.weight", (2, 256)), ("blk.0.something", (2, 256)), ("blk.0.other.weight", (2, 256))]),
]


def save(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write(path, arch, layers, heads, kv_heads, experts, tensors):
    writer = GGUFWriter(path, arch)
    writer.add_context_length(64)
    writer.add_embedding_length(heads * 16)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(256)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_layer_norm_eps(1e-5)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(2)
    if arch == "phi3":
        writer.add_rope_scaling_orig_ctx_len(64)
    if experts:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(2)
    for name, shape in tensors:
        writer.add_tensor(name, np.zeros(shape, dtype=np.float32))
    save(writer)


def main():
    quantize, out = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, open(out, "w") as table:
        table.write("\t".join(FILE_TYPES) + "\n")
        table.write("\t".join(f"{letter}={name}" for name, letter in LETTERS.items()) + "\n")
        for name, arch, layers, heads, kv_heads, experts, tensors in MODELS:
            tensors = list(tensors)
            source, target = str(Path(folder, "source.gguf")), str(Path(folder, "target.gguf"))
            write(source, arch, layers, heads, kv_heads, experts, tensors)
            types = {tensor: [] for tensor, _ in tensors}
            for file_type in FILE_TYPES:
                done = subprocess.run([quantize, source, target, file_type, "1"], capture_output=True, text=True)
                if done.returncode != 0:
                    sys.exit(f"{name} {file_type}: {done.stdout} {done.stderr}")
                for tensor in GGUFReader(target).tensors:
                    types[tensor.name].append(GGMLQuantizationType(tensor.tensor_type).name)
            table.write("\t".join(["model", name, arch] + [str(x) for x in (layers, heads, kv_heads, experts)]) + "\n")
            for tensor, shape in tensors:
                letters = "".join(LETTERS[x] for x in types[tensor])
                table.write("\t".join([tensor, "x".join(map(str, shape)), letters]) + "\n")
    

if __name__ == "__main__":
    main()
