#!/usr/bin/env python3
"""Writes the folders under tests/golden/convert: small made-up models as Hugging Face has them, and what llama.cpp's
converter makes of them.

    tools/golden/convert.py LLAMA.CPP tests/golden/convert

LLAMA.CPP is the source in PyPI's llama-cpp-python 0.3.36 (vendor/llama.cpp); transformers 5.23.0, tokenizers 0.23.3,
numpy 2.4.6. In each folder: config.json, tokenizer files; expected.json, the metadata that the converter writes with
--vocab-only; arrays.tsv, for each array of a model of that configuration its name, shape (outermost first), its name
in GGUF, and the FNV-1a hash of its f32 values in GGUF's order of rows. The values are values() of quantize_model.py,
seeded with the line's number. The converter names the rules that cut text by what they make of one long text, which a
made-up vocabulary defeats, so that name is put in its mouth here.
"""
import json
import logging
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import transformers  # noqa: F401  before the stub below, so that it finds that there is no torch

from quantize_model import fnv, values

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")


def byte_alphabet():
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


def added(tokens, first):
    return [{"id": first + i, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": not special, "special": special} for i, (content, special) in enumerate(tokens)]


def template(single, pair, tokens):
    step = lambda x: {"Sequence": {"id": x, "type_id": 0}} if len(x) == 1 else {"SpecialToken": {"id": x, "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [step(x) for x in single], "pair": [step(x) for x in pair],
            "special_tokens": {x: {"id": x, "ids": [i], "tokens": [x]} for x, i in tokens.items()}}


def byte_level(pre_tokenizer, post_processor, ignore_merges):
    pieces = [byte_alphabet()[b] for b in range(256)] + ["he", "ll", "hell", "hello", "Ġw", "or", "Ġwor", "ld", "Ġworld"]
    merges = [["h", "e"], ["l", "l"], ["he", "ll"], ["hell", "o"], ["Ġ", "w"], ["o", "r"], ["Ġw", "or"], ["l", "d"],
              ["Ġwor", "ld"]]
    tokens = added([("<|begin|>", True), ("<|end|>", True), ("<|looks_special|>", False), ("plain added", False)], 265)
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": None,
            "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "ignore_merges": ignore_merges, "vocab": {p: i for i, p in enumerate(pieces)}, "merges": merges}}


def byte_fallback():
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    pieces += ["▁t", "he", "▁the", "in", "▁", "t", "h", "e", "i", "n"]
    merges = ["▁ t", "h e", "▁t he", "i n"]
    tokens = added([("<unk>", True), ("<s>", True), ("</s>", True)], 0) + added([("▁user text", False)], len(pieces))
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens,
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
            "pre_tokenizer": None, "post_processor": template(["<s>", "A"], ["<s>", "A", "<s>", "B"], {"<s>": 1}),
            "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True,
                      "vocab": {p: i for i, p in enumerate(pieces)}, "merges": merges}}


def split_then_bytes(regex):
    return {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}


DIGITS_THEN_BYTES = {"type": "Sequence", "pretokenizers": [
    {"type": "Digits", "individual_digits": True},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}]}
BEGIN = template(["<|begin|>", "A"], ["<|begin|>", "A", "<|begin|>", "B"], {"<|begin|>": 265})

BASE = {"model_type": "llama", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
        "vocab_size": 272, "bos_token_id": 265, "eos_token_id": [266, 267]}
# name, config, tokenizer.json, tokenizer_config.json, generation_config.json, tokenizer.ggml.pre
MODELS = [
    ("Tiny-Llama-3-32K-Instruct",
     BASE | {"architectures": ["LlamaForCausalLM"], "head_dim": 8, "attention_bias": True,
             "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                                 "high_freq_factor": 4.0, "original_max_position_embeddings": 64}},
     byte_level(split_then_bytes(LLAMA3), BEGIN, True),
     {"bos_token": "<|begin|>", "eos_token": {"__type": "AddedToken", "content": "<|end|>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}, "tokenizer_class":
      "PreTrainedTokenizerFast", "chat_template": "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"},
     {"temperature": 0.6, "top_p": 0.9, "top_k": 40, "repetition_penalty": 1.05, "eos_token_id": [266, 267]},
     "llama-bpe"),
    ("small",
     BASE | {"architectures": ["LlamaForCausalLM"], "tie_word_embeddings": True, "_name_or_path": "someone/Small-v2",
             "rope_theta": 20000.0, "rope_scaling": {"type": "linear", "factor": 2.0}},
     byte_level(DIGITS_THEN_BYTES, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}, False),
     {"bos_token": "<|begin|>", "eos_token": "<|end|>", "pad_token": "<|end|>", "add_prefix_space": False,
      "chat_template": [{"name": "default", "template": "a"}, {"name": "tool use", "template": "b"}]},
     None, "smollm"),
    ("experts",
     BASE | {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "num_local_experts": 3,
             "num_experts_per_tok": 2, "vocab_size": 270, "bos_token_id": 1, "eos_token_id": 2, "head_dim": 8,
             "rope_theta": 1e6},
     byte_fallback(),
     {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False,
      "tokenizer_class": "LlamaTokenizer", "legacy": False},
     None, None),
]


def arrays(config):
    width, ff, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    head = width // heads
    kv = config["num_key_value_heads"] * head
    yield "model.embed_tokens.weight", (config["vocab_size"], width)
    yield "model.norm.weight", (width,)
    if not config.get("tie_word_embeddings"):
        yield "lm_head.weight", (config["vocab_size"], width)
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        yield layer + "input_layernorm.weight", (width,)
        yield layer + "post_attention_layernorm.weight", (width,)
        for x, rows in ("q", heads * head), ("k", kv), ("v", kv):
            yield f"{layer}self_attn.{x}_proj.weight", (rows, width)
            if config.get("attention_bias"):
                yield f"{layer}self_attn.{x}_proj.bias", (rows,)
        yield layer + "self_attn.o_proj.weight", (width, heads * head)
        if "num_local_experts" in config:
            yield layer + "block_sparse_moe.gate.weight", (config["num_local_experts"], width)
            for e in range(config["num_local_experts"]):
                expert = f"{layer}block_sparse_moe.experts.{e}."
                yield expert + "w1.weight", (ff, width)
                yield expert + "w2.weight", (width, ff)
                yield expert + "w3.weight", (ff, width)
        else:
            yield layer + "mlp.gate_proj.weight", (ff, width)
            yield layer + "mlp.up_proj.weight", (ff, width)
            yield layer + "mlp.down_proj.weight", (width, ff)


class Stub(MagicMock):  # for torch, of which the converter only needs names where no array is read
    Tensor = type("Tensor", (), {})


def main():
    llama_cpp, out = Path(sys.argv[1]), Path(sys.argv[2])
    sys.path[:0] = [str(llama_cpp), str(llama_cpp / "gguf-py")]
    sys.modules["torch"] = Stub()
    import gguf
    from conversion.base import TextModel
    from conversion.llama import LlamaModel
    logging.disable(logging.CRITICAL)

    for name, config, tokenizer, tokenizer_config, generation_config, pre in MODELS:
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        files = {"config": config, "tokenizer": tokenizer, "tokenizer_config": tokenizer_config,
                 "generation_config": generation_config}
        for file, content in files.items():
            if content is not None:
                (folder / f"{file}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

        TextModel.get_vocab_base_pre = lambda self, tokenizer, pre=pre: pre
        target = folder / "vocabulary.gguf"
        model = LlamaModel(folder, gguf.LlamaFileType.ALL_F32, target)
        model.prepare_metadata(vocab_only=True)
        model.gguf_writer.write_header_to_file(path=target)
        model.gguf_writer.write_kv_data_to_file()
        model.gguf_writer.close()
        expected = {key: [[t.name for t in field.types], field.contents()]
                    for key, field in gguf.GGUFReader(target).fields.items() if not key.startswith("GGUF.")}
        target.unlink()
        (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False), encoding="utf-8")

        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
        stacks = {}
        with open(folder / "arrays.tsv", "w") as table:
            for seed, (array, shape) in enumerate(arrays(config)):
                x = values(seed, int(np.prod(shape))).reshape(shape)
                if ".experts." in array:  # the converter maps the name of all of a layer's together
                    parts = array.split(".")
                    merged = f"layers.{parts[2]}.feed_forward.experts.{parts[6]}.weight"
                    new_name = names.get_name(merged, try_suffixes=(".weight", ".bias"))
                    stacks.setdefault(new_name, []).append(x)
                else:
                    new_name = names.get_name(array, try_suffixes=(".weight", ".bias"))
                    heads = {"q": config["num_attention_heads"], "k": config["num_key_value_heads"]}
                    for part, count in heads.items():
                        if f".{part}_proj." in array:
                            x = LlamaModel.permute(x, count, count)
                    stacks[new_name] = [x]
                table.write(f"{array}\t{'x'.join(map(str, shape))}\t{new_name}\n")
            table.write("\n")
            for new_name, parts in stacks.items():
                table.write(f"{new_name}\t{fnv(b''.join(x.tobytes() for x in parts)):016x}\n")


if __name__ == "__main__":
    main()
