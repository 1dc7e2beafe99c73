#!/usr/bin/env python3
"""Measures Bothy beside llama.cpp: the same files, threads and numbers of tokens, taking turns in one run.

    LLAMA_BENCH=.../llama-bench bench/beside_llama_cpp.py [--rounds 5] [--threads 2] MODEL.gguf ...

llama.cpp counts with flash attention on or off, whichever is faster. Prints medians, and the ratio of medians.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

BOTHY = os.environ.get("BOTHY", str(Path(__file__).resolve().parent.parent / "build/release/bothy"))


def bothy(model, args):
    out = subprocess.run([BOTHY, "bench", model, "--prompt", str(args.prompt), "--generate", str(args.generate),
                          "--threads", str(args.threads), "--repeat", "1", "--json"],
                         check=True, capture_output=True, text=True).stdout
    result = json.loads(out)
    return result["prompt_tokens_per_second"]["median"], result["generated_tokens_per_second"]["median"]


def llama(program, model, args, flash):
    out = subprocess.run([program, "-m", model, "-p", str(args.prompt), "-n", str(args.generate), "-t", str(args.threads),
                          "-r", "1", "-fa", flash, "-o", "json"], check=True, capture_output=True, text=True).stdout
    rows = json.loads(out)
    return (next(r["avg_ts"] for r in rows if r["n_prompt"]), next(r["avg_ts"] for r in rows if r["n_gen"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=64)
    args = parser.parse_args()
    program = os.environ.get("LLAMA_BENCH") or sys.exit("LLAMA_BENCH has to name llama.cpp's llama-bench")
    print(f"{'model':32} {'':10} {'bothy':>9} {'llama.cpp':>9} {'ratio':>6}   tokens/s, medians of {args.rounds}")
    for model in args.models:
        ours, on, off = [], [], []
        for _ in range(args.rounds):
            ours.append(bothy(model, args))
            on.append(llama(program, model, args, "1"))
            off.append(llama(program, model, args, "0"))
        for i, what in enumerate(("prompt", "generation")):
            mine = statistics.median(x[i] for x in ours)
            theirs = max(statistics.median(x[i] for x in on), statistics.median(x[i] for x in off))
            print(f"{Path(model).name if i == 0 else '':32} {what:10} {mine:9.1f} {theirs:9.1f} {mine / theirs:6.2f}", flush=True)


main()
