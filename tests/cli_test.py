#!/usr/bin/env python3
"""The program as a person runs it: exit codes, streams, messages, JSON. Needs BOTHY and the demo's model."""
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from harness import NotRun, finish, run_functions

BOTHY = os.environ.get("BOTHY", "build/dev/bothy")
MODELS = Path(os.environ.get("BOTHY_TEST_MODELS") or Path.home() / ".cache" / "bothy" / "models")
DEMO = str(MODELS / "SmolLM2-135M-Instruct.Q4_1.gguf")
GOLDEN = Path(__file__).parent / "golden"


def small_model(folder, **generation_config):
    """golden/gpt2 with a tokenizer that has one letter for each token: letter(i) is token i."""
    for name in ("config.json", "model.safetensors"):
        shutil.copy(GOLDEN / "gpt2" / name, folder)
    model = {"type": "BPE", "vocab": {letter(i): i for i in range(163)}, "merges": []}
    Path(folder, "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": None, "post_processor": None, "decoder": {"type": "Fuse"}, "model": model}))
    if generation_config:
        Path(folder, "generation_config.json").write_text(json.dumps(generation_config))


def letter(token):
    return chr(0x4e00 + token)


def letters(tokens):
    return "".join(map(letter, tokens))


def beam_searches():
    return json.loads((GOLDEN / "sampling" / "golden.json").read_text())["beam_search"]


def exact(*args):
    code, out, err = run("generate", *args, "--exact", "--kv", "f32")
    assert code == 0, err
    return json.loads(out) if "--json" in args else out


def run(*args, stdin=None, env=None):
    done = subprocess.run([BOTHY, *args], input=stdin, capture_output=True, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_wrong_usage_exits_with_2():
    for args in ([], ["nonsense"], ["generate"], ["generate", DEMO, "--top-k"], ["bench", DEMO, "--repeat", "0"],
                 ["logits", DEMO, "--ids", "1,x", "--out", "/tmp/never"]):
        code, out, err = run(*args)
        assert code == 2, (args, code, err)
        assert out == "", args


def test_every_subcommand_has_help_with_an_example():
    code, out, _ = run("--help")
    assert code == 0
    names = [line.split()[0] for line in out.split("Subcommands:")[1].splitlines() if line.startswith("  ")]
    assert len(names) >= 8, names
    for name in names:
        code, out, _ = run(name, "--help")
        assert code == 0 and "Example" in out and f"bothy {name}" in out, name


def test_a_file_that_cannot_be_read_is_one_message_that_names_it():
    with tempfile.TemporaryDirectory() as folder:
        missing = f"{folder}/missing.gguf"
        broken = f"{folder}/broken.gguf"
        Path(broken).write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 0))
        for path in (missing, broken):
            code, out, err = run("generate", path, "-p", "x")
            assert code == 1 and out == "", (code, out, err)
            assert path in err and err.count("\n") == 1, err


def test_a_cut_model_is_an_error_not_a_crash():
    with tempfile.TemporaryDirectory() as folder:
        cut = f"{folder}/cut.gguf"
        with open(DEMO, "rb") as source:
            Path(cut).write_bytes(source.read(5_000_000))
        code, out, err = run("generate", cut, "-p", "x")
        assert code == 1 and "cut.gguf" in err, (code, err)


def test_generation_streams_text_to_stdout_and_notes_to_stderr():
    code, out, err = run("generate", DEMO, "-p", "The capital of France is", "-n", "4", "--greedy")
    assert code == 0 and out.startswith(" Paris"), (code, out, err)
    assert "tokens/s" in err and "tokens/s" not in out
    again = run("generate", DEMO, "-n", "4", "--greedy", "--threads", "1", stdin=b"The capital of France is")
    assert again[1] == out


def test_tokenize_goes_both_ways_line_by_line():
    texts = ["The capital of France", "caf\u00e9 \U0001f600\n", ""]
    lines = "".join(json.dumps(text) + "\n" for text in texts).encode()
    code, out, err = run("tokenize", DEMO, "--jsonl", stdin=lines)
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and err == "" and len(rows) == 3, (code, err)
    assert rows[0] == {"ids": [504, 3575, 282, 4649], "offsets": [[0, 3], [3, 11], [11, 14], [14, 21]],
                       "tokens": ["The", "\u0120capital", "\u0120of", "\u0120France"]}, rows[0]
    assert rows[1]["offsets"][-1] == [6, 7] and rows[2]["ids"] == []
    ids = "".join(json.dumps(row["ids"]) + "\n" for row in rows).encode()
    code, out, _ = run("tokenize", DEMO, "--jsonl", "--decode", stdin=ids)
    assert code == 0 and [json.loads(line) for line in out.splitlines()] == texts, out
    assert run("tokenize", DEMO, "--decode", "-p", "504 3575")[1] == "The capital"
    code, out, err = run("tokenize", DEMO, "--jsonl", stdin=b'"a"\nnonsense\n')
    assert code == 1 and "line 2" in err, err


def test_the_same_seed_gives_the_same_text():
    args = ["generate", DEMO, "-p", "Once", "-n", "12", "--temperature", "1.2", "--json"]
    first, second, other = (json.loads(run(*args, "--seed", seed)[1]) for seed in ("3", "3", "4"))
    assert first["answers"] == second["answers"]
    assert first["answers"] != other["answers"]
    assert first["seed"] == 3 and first["prompt_tokens"] == 1 and first["generated_tokens"] == 12


def test_a_stop_string_ends_the_text_and_is_not_shown():
    code, out, _ = run("generate", DEMO, "-p", "The capital of France is", "--greedy", "--stop", "Par", "-n", "9")
    assert code == 0 and out == " \n", out


def test_logits_are_a_safetensors_file():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.safetensors"
        code, out, err = run("logits", DEMO, "--ids", "504,3575,282", "--out", path)
        assert code == 0 and out == "", err
        data = Path(path).read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + size])
        assert header["logits"]["dtype"] == "F32" and header["logits"]["shape"] == [3, 49152]
        assert len(data) == 8 + size + 3 * 49152 * 4


def test_quantize_writes_a_model_that_runs():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.gguf"
        code, out, err = run("quantize", DEMO, path, "--type", "q8_0", "--json")
        assert code == 0 and "quantized already" in err, err
        result = json.loads(out)
        assert result["file_type"] == "Q8_0" and result["output"] == path and result["requantized"] > 0
        assert result["arrays"] == {"F32": 61, "Q8_0": 211} and result["parameters"] == 134515008
        assert result["bytes"] <= os.path.getsize(path) <= 1.02 * result["bytes"]
        code, out, _ = run("generate", path, "-p", "The capital of France is", "-n", "4", "--greedy")
        assert code == 0 and out.startswith(" Paris"), out


def test_quantize_overwrites_nothing_unasked():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.gguf")
        path.write_text("mine")
        code, _, err = run("quantize", DEMO, str(path), "--type", "Q4_0")
        assert code == 1 and str(path) in err and "--force" in err and path.read_text() == "mine", err
        code, _, err = run("quantize", DEMO, str(path), "--type", "Q4_9", "--force")
        assert code == 2 and "Q4_K_M" in err and path.read_text() == "mine", err
        code, _, err = run("quantize", DEMO, str(path), "--type", "Q4_0", "--force")
        assert code == 0 and path.read_bytes()[:4] == b"GGUF", err


def test_an_interrupted_quantize_leaves_nothing():
    with tempfile.TemporaryDirectory() as folder:
        running = subprocess.Popen([BOTHY, "quantize", DEMO, f"{folder}/x.gguf", "--type", "IQ4_XS"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while running.poll() is None and not os.listdir(folder):
            pass
        running.send_signal(signal.SIGINT)
        code = running.wait()
        # It may have been done before the signal came.
        assert (code == 130 and not os.listdir(folder)) or (code == 0 and os.listdir(folder) == ["x.gguf"]), code


def test_dynamic_rope_goes_past_the_length_that_it_stretches():
    folder = Path(__file__).parent / "golden" / "llama-dynamic"
    with tempfile.TemporaryDirectory() as out:
        code, _, err = run("logits", str(folder), "--ids", ",".join(["3"] * 41), "--out", f"{out}/x.safetensors")
        assert code == 0, err


def test_beam_searches_give_the_references_texts_and_scores():
    for search in beam_searches():
        options = search["options"]
        with tempfile.TemporaryDirectory() as folder:
            small_model(folder, eos_token_id=search["eos_token_ids"])
            args = ["-p", letters(search["input_ids"]), "--beams", str(options["num_beams"]), "-n",
                    str(options["max_new_tokens"]), "-N", str(options["num_return_sequences"])]
            for key in ("length_penalty", "early_stopping", "no_repeat_ngram_size", "repetition_penalty",
                        "min_new_tokens"):
                if key in options:
                    args += ["--" + key.replace("_", "-"), str(options[key]).lower()]
            result = exact(folder, *args, "--log-probs", "2", "--json")
            answers = result["answers"]
            assert [answer["tokens"] for answer in answers] == search["output_ids"], options
            for answer, score in zip(answers, search["sequences_scores_f64"]):
                assert abs(answer["score"] - score) <= search["bound"], (options, answer["score"], score)
                assert len(answer["log_probs"]) == len(answer["tokens"])
            lines = exact(folder, *args).splitlines()
            ended = [ids[:-1] if ids[-1] in search["eos_token_ids"] else ids for ids in search["output_ids"]]
            assert lines == [f"{i + 1}) {letters(ids)}" for i, ids in enumerate(ended)], lines


def test_generation_config_may_ask_for_beams_and_the_command_line_decides():
    search = beam_searches()[2]  # whose best text is not the greedy one
    with tempfile.TemporaryDirectory() as folder:
        small_model(folder, eos_token_id=search["eos_token_ids"], num_beams=4, length_penalty=0.0,
                    num_return_sequences=4)
        args = ["-p", letters(search["input_ids"]), "-n", "14"]
        best = letters(search["output_ids"][0][:-1]) + "\n"
        assert exact(folder, *args) == best
        greedy = exact(folder, *args, "--greedy")
        assert greedy != best and greedy == exact(folder, *args, "--beams", "1")
        assert exact(folder, *args, "--beams", "4", "--greedy") == best
        code, out, err = run("generate", folder, *args, "-N", "5")
        assert code == 2 and out == "" and "4" in err and "--beams" in err, err
        code, out, err = run("generate", folder, *args, "--beams", "1", "--length-penalty", "2")
        assert code == 2 and "--beams" in err, err
        # A stop string ends a beam and is not shown.
        stopped = exact(folder, *args, "--stop", letter(78))
        assert stopped == letter(126) + "\n", stopped
        Path(folder, "chat_template.jinja").write_text("{{ messages[-1].content }}")
        code, out, err = run("chat", folder, "-n", "5", stdin=letters(search["input_ids"]).encode())
        assert code == 0 and len(out.strip()) == 5, (code, out, err)


def with_arrays(path, *names):
    """Adds arrays of one number to a safetensors file."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    for name in names:
        header[name] = {"dtype": "F32", "shape": [1], "data_offsets": [len(body), len(body) + 4]}
        body += bytes(4)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_arrays_that_the_model_does_not_use_are_told():
    with tempfile.TemporaryDirectory() as folder:
        small_model(folder)
        args = ["generate", folder, "-p", letters([5, 6]), "-n", "3", "--greedy"]
        code, out, err = run(*args)
        assert code == 0 and "does not use" not in err and "do not use" not in err, err
        with_arrays(Path(folder, "model.safetensors"), "value_head.weight", "transformer.h.0.attn.masked_bias")
        code, same, err = run(*args)
        assert code == 0 and same == out and "holds 1 array that gpt2 models do not use: value_head.weight" in err, err
        with_arrays(Path(folder, "model.safetensors"), "transformer.h.1.attn.q_norm.weight")
        code, out, err = run(*args)
        assert code == 1 and out == "" and "transformer.h.1.attn.q_norm.weight" in err, err


def test_settings_that_name_tokens_change_the_text():
    with tempfile.TemporaryDirectory() as folder:
        small_model(folder, eos_token_id=5)
        prompt = [67, 16, 78, 44, 146, 37]

        def text(*args):
            return exact(*args, folder, "-p", letters(prompt), "-n", "6", "--greedy", "--json")["answers"][0]["tokens"]

        plain = text()
        assert text("--suppress-tokens", f"{plain[0]},0")[0] not in (plain[0], 0)
        assert text("--begin-suppress-tokens", str(plain[0]))[0] != plain[0]
        assert text("--logit-bias", "90=100") == [90] * 6 == text("--logit-bias", f"{letter(90)}=100")
        # The second letter only where the first stands before it: it follows the prompt's last.
        assert text("--logit-bias", f"{letters([37, 91])}=100")[0] == 91
        assert text("--bad-words", letters([37, plain[0]]))[0] != plain[0]
        assert text("--forced-eos-token-id", "7")[5] == 7
        assert text("--bad-words", letter(plain[0]), "--stop", letter(plain[0]))[0] != plain[0]
        assert text("--exponential-decay-length-penalty", "1,3")[-1] == 5
        repeated = text("--no-repeat-ngram-size", "1")
        assert len(set(prompt + repeated)) == 12, repeated
        for args, name in ((["--logit-bias", "x"], "--logit-bias"), (["--logit-bias", "9999=1"], "logit_bias"),
                           (["--top-h", "2"], "top_h"), (["--epsilon-cutoff", "1"], "epsilon_cutoff"),
                           (["--eta-cutoff", "-1"], "eta_cutoff"), (["--exponential-decay-length-penalty", "1"], "START"),
                           (["--min-new-tokens", "9"], "min_new_tokens")):
            code, _, err = run("generate", folder, "-p", letters(prompt), "-n", "6", *args)
            assert code != 0 and name in err, (args, err)


def test_stories260k_tells_its_story():
    if not os.environ.get("BOTHY_TEST_DATA"):
        raise NotRun("needs BOTHY_TEST_DATA")
    model = str(Path(os.environ["BOTHY_TEST_DATA"], "kit", "llama", "stories260K.bin"))
    story = json.loads((GOLDEN / "stories260k" / "golden.json").read_text())["text"]
    code, out, err = run("generate", model, "-p", "Once upon a time", "--greedy", "-n", "60")
    assert code == 0, err
    text = "Once upon a time" + out.removesuffix("\n")
    assert len(text) > 120 and story.startswith(text), text


def test_a_context_that_is_full_says_so():
    code, out, err = run("generate", DEMO, "-p", "one two three", "--context", "16", "--greedy")
    assert code == 1 and out and "context is full" in err and " 16 " in err and "--context up to 8192" in err, (code, err)


def test_what_does_not_fit_into_the_context_is_told_with_numbers_and_a_way_out():
    with tempfile.TemporaryDirectory() as folder:
        small_model(folder)  # made for 80 tokens
        prompt = letters([5] * 40)
        for args, parts in (
                (["generate", folder, "-p", prompt * 3], ("120", "80", "shorter")),
                (["generate", folder, "-p", prompt, "-c", "20"], ("40", "32", "--context up to 80")),
                (["generate", folder, "-p", prompt, "-c", "81"], ("81", "80")),
                (["generate", folder, "-p", prompt, "--greedy"], ("context is full", "80", "shorter")),
                (["logits", folder, "--ids", ",".join(["5"] * 81), "--out", f"{folder}/x"], ("81", "80"))):
            code, _, err = run(*args)
            assert code == 1 and all(part in err for part in parts), (args, code, err)


def test_bench_prints_its_schema():
    code, out, _ = run("bench", DEMO, "--prompt", "8", "--generate", "2", "--repeat", "2", "--json")
    result = json.loads(out)
    assert code == 0
    for key in ("prompt_tokens_per_second", "generated_tokens_per_second"):
        assert 0 < result[key]["min"] <= result[key]["median"] <= result[key]["max"]
    assert result["load_seconds"] > 0 and result["resident_bytes"] > result["weight_bytes"] > 90_000_000
    assert result["weight_bytes"] < 1.25 * os.path.getsize(DEMO)


def test_an_unknown_instruction_set_is_refused():
    code, _, err = run("system", env={"BOTHY_ISA": "mmx"})
    assert code == 2 and "mmx" in err and "scalar" in err


def test_a_server_is_configured_by_a_file_the_environment_and_options():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "bothy.toml")
        file.write_text('grace = 3\nlisten = ["127.0.0.1:0", "[::1]:0"]\n[cors]\norigin = "https://a.example"\n')
        shown = tomllib.loads(run("config", "show", "--data", folder)[1])
        assert shown["grace"] == 3 and shown["listen"] == ["127.0.0.1:0", "[::1]:0"]
        assert shown["cors_origin"] == ["https://a.example"] and shown["log_level"] == "info"
        shown = tomllib.loads(run("config", "show", "--data", folder, "--listen", "a:1", env={"BOTHY_GRACE": "4"})[1])
        assert shown["grace"] == 4 and shown["listen"] == ["a:1"]
        for address in ("u:open-sesame@h/d", "u:open-s@sesame@h/d?a=b", "h/d?password=open-sesame&a=@"):
            file.write_text(f'database = "postgresql://{address}"\n')
            shown = tomllib.loads(run("config", "show", "--data", folder)[1])
            assert "open" not in shown["database"] and "sesame" not in shown["database"], shown["database"]
        for text, said in (("grace = 3\nlisten_on = 4\n", "line 2"), ("grace = 4000", "3600"), ("grace = [", "line 1"),
                           ("grace = {a = 1}", "grace_a"), ("grace = [1, 2]", "one value")):
            file.write_text(text)
            code, out, err = run("serve", "--data", folder)
            assert code == 2 and not out and str(file) in err and said in err, (text, err)
        # The commands of the administrator take what concerns them, and leave the rest to the server.
        file.write_text(f'listen_on = 4\ndatabase = "sqlite:{folder}/other.db"\n')
        assert run("admin", "user", "create", "ada", "--data", folder)[0] == 0
        assert Path(folder, "other.db").exists() and not Path(folder, "bothy.db").exists()


def test_quotas_are_set_and_shown_with_what_is_taken():
    with tempfile.TemporaryDirectory() as folder:
        assert run("admin", "quota", "show", "--data", folder)[0] != 0  # there is no hub, and none is made for it
        assert not Path(folder, "bothy.db").exists()
        assert run("admin", "user", "create", "ada", "--data", folder)[0] == 0
        assert run("admin", "org", "create", "lab", "--member", "ada:admin", "--data", folder)[0] == 0
        assert run("admin", "quota", "set", "100GB", "--data", folder)[0] == 0
        assert run("admin", "quota", "set", "1.5TiB", "lab", "--data", folder)[0] == 0
        quotas = lambda: {one["name"]: one["quota"] for one in map(json.loads, run(
            "admin", "quota", "show", "--json", "--data", folder)[1].splitlines())}
        assert quotas() == {"ada": 100 * 10**9, "lab": 1.5 * 2**40}
        assert run("admin", "quota", "set", "none", "ada", "--data", folder)[0] == 0
        assert run("admin", "quota", "set", "default", "lab", "--data", folder)[0] == 0
        assert quotas() == {"ada": None, "lab": 100 * 10**9}
        shown = run("admin", "quota", "show", "--data", folder)[1].splitlines()
        assert "no limit" in shown[1] and "100.0 GB" in shown[2] and "100.0 GB" in shown[3], shown
        for arguments, said in ((("5XB",), "5XB"), (("default",), "size"), (("5GB", "nobody"), "nobody")):
            code, out, err = run("admin", "quota", "set", *arguments, "--data", folder)
            assert code != 0 and not out and said in err, (arguments, err)


finish(run_functions(globals(), "Cli"))
