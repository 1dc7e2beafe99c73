#!/usr/bin/env python3
"""A model behind the protocols that applications speak: `bothy serve MODEL`, asked over HTTP. Needs BOTHY and the demo model of tools/fetch_test_models; texts are compared with those of `bothy generate`."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import NotRun, argument, finish, not_run, run_functions

BOTHY = os.environ.get("BOTHY", "build/dev/bothy")
CLIENTS = Path(os.environ.get("BOTHY_TEST_CLIENTS") or Path.home() / ".cache" / "bothy" / "clients") / "inference-2026-11"
MODELS = Path(os.environ.get("BOTHY_TEST_MODELS") or Path.home() / ".cache" / "bothy" / "models")
DEMO = MODELS / "SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTION = "What is the capital of France?"
PROMPT = "Once upon a time"


class Server:
    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([BOTHY, "serve", str(DEMO), "--alias", "demo", "--listen", "127.0.0.1:0", "--grace", "1",
                                         "--cache-memory", "256MiB", "--data", self.folder.name, *options],
                                        stdout=subprocess.PIPE, stderr=open(f"{self.folder.name}/server.log", "wb"))
        line = self.process.stdout.readline().decode()
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def open(self, path, body=None, **headers):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return urllib.request.urlopen(urllib.request.Request(
            self.address + path, data, {"Content-Type": "application/json", **headers}), timeout=120)

    def ask(self, path, body=None, **headers):
        with self.open(path, body, **headers) as answer:
            return json.load(answer)

    def refused(self, path, body):
        """Status and body of an answer that is an error."""
        try:
            self.open(path, body).read()
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        raise AssertionError(f"{path} took {body}")

    def events(self, path, body):
        """The data of server-sent events."""
        with self.open(path, body) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream"), answer.headers["Content-Type"]
            return [line[6:] for line in answer.read().decode().splitlines() if line.startswith("data: ")]

    def metric(self, name, **labels):
        text = urllib.request.urlopen(self.address + "/metrics").read().decode()
        found = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{")
                 and all(f'{key}="{value}"' in line for key, value in labels.items())]
        return sum(found)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0
        self.folder.cleanup()


server = None


def generated(*options):
    return subprocess.run([BOTHY, "generate", str(DEMO), "--greedy", *options], check=True, capture_output=True,
                          text=True).stdout.removesuffix("\n")


def chat(**settings):
    return {"model": "demo", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": 24, **settings}


def test_a_chat_answers_as_the_command_line_does():
    answer = server.ask("/v1/chat/completions", chat())
    expected = generated("--chat", "-p", QUESTION, "--max-tokens", "24")
    assert answer["choices"][0]["message"]["content"] == expected, (answer, expected)
    assert answer["object"] == "chat.completion" and answer["model"] == "demo"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"], usage


def test_a_stream_says_the_same_as_a_whole_answer():
    whole = server.ask("/v1/chat/completions", chat())["choices"][0]
    events = server.events("/v1/chat/completions", chat(stream=True, stream_options={"include_usage": True}))
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    deltas = [choice for chunk in chunks for choice in chunk["choices"]]
    assert deltas[0]["delta"]["role"] == "assistant"
    assert "".join(one["delta"].get("content") or "" for one in deltas) == whole["message"]["content"]
    assert deltas[-1]["finish_reason"] == whole["finish_reason"]
    assert chunks[-1]["usage"]["completion_tokens"] > 0


def test_a_completion_goes_on_with_the_text():
    answer = server.ask("/v1/completions", {"model": "demo", "prompt": PROMPT, "temperature": 0, "max_tokens": 20})
    assert answer["choices"][0]["text"] == generated("-p", PROMPT, "--max-tokens", "20").removeprefix(PROMPT), answer


def test_every_protocol_gives_the_same_text():
    text = server.ask("/v1/chat/completions", chat())["choices"][0]["message"]["content"]
    messages = chat()["messages"]
    ollama = server.ask("/api/chat", {"model": "demo", "messages": messages, "stream": False,
                                      "options": {"temperature": 0, "num_predict": 24}})
    assert ollama["message"]["content"] == text, ollama
    anthropic = server.ask("/v1/messages", {"model": "demo", "messages": messages, "temperature": 0, "max_tokens": 24})
    assert "".join(part["text"] for part in anthropic["content"]) == text, anthropic
    responses = server.ask("/v1/responses", {"model": "demo", "input": QUESTION, "temperature": 0, "max_output_tokens": 24})
    assert responses["output"][-1]["content"][0]["text"] == text, responses
    generate = server.ask("/generate", {"inputs": PROMPT, "parameters": {"max_new_tokens": 20, "do_sample": False}})
    completion = server.ask("/v1/completions", {"prompt": PROMPT, "temperature": 0, "max_tokens": 20})
    assert generate["generated_text"] == completion["choices"][0]["text"], (generate, completion)


def test_parallel_streams_give_the_same_texts_as_one_after_another():
    questions = [f"What is {i} and {i + 3}?" for i in range(8)]

    def ask(question):
        return server.ask("/v1/chat/completions", chat(messages=[{"role": "user", "content": question}]))["choices"][0]["message"]

    alone = [ask(question) for question in questions]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, questions)) == alone


def test_the_same_seed_draws_the_same_text():
    body = chat(temperature=0.9, seed=7)
    first, second = (server.ask("/v1/chat/completions", body)["choices"][0]["message"] for _ in range(2))
    assert first == second


def test_a_schema_is_followed():
    schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}, "size": {"enum": ["small", "large"]},
                                               "population": {"type": "integer", "minimum": 1, "maximum": 99}},
              "required": ["city", "size", "population"], "additionalProperties": False}
    for seed in range(5):
        answer = server.ask("/v1/chat/completions", chat(
            temperature=1.5, seed=seed, max_tokens=120,
            response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": True}}))
        assert answer["choices"][0]["finish_reason"] == "stop", answer
        value = json.loads(answer["choices"][0]["message"]["content"])
        assert set(value) == {"city", "size", "population"} and len(value["city"]) <= 12, value
        assert value["size"] in ("small", "large") and 1 <= value["population"] <= 99, value


def test_a_demanded_tool_is_called_with_arguments_that_fit():
    tool = {"type": "function", "function": {"name": "weather", "description": "The weather of a city", "parameters": {
        "type": "object", "properties": {"days": {"type": "integer", "minimum": 1, "maximum": 7}}, "required": ["days"],
        "additionalProperties": False}}}
    answer = server.ask("/v1/chat/completions", chat(tools=[tool], tool_choice="required", parallel_tool_calls=False, max_tokens=100))["choices"][0]
    assert answer["finish_reason"] == "tool_calls", answer
    call = answer["message"]["tool_calls"][0]["function"]
    assert call["name"] == "weather" and 1 <= json.loads(call["arguments"])["days"] <= 7, call


def test_regular_expressions_and_gbnf_are_followed():
    answer = server.ask("/generate", {"inputs": QUESTION, "parameters": {
        "max_new_tokens": 30, "do_sample": True, "seed": 1, "grammar": {"type": "regex", "value": "[a-c]{3}-[0-9]{2}"}}})
    assert re.fullmatch("[a-c]{3}-[0-9]{2}", answer["generated_text"]), answer
    answer = server.ask("/v1/chat/completions", chat(grammar='root ::= "yes" | "no"'))
    assert answer["choices"][0]["message"]["content"] in ("yes", "no"), answer


def test_several_answers_begin_alike_and_go_their_own_ways():
    answer = server.ask("/v1/chat/completions", chat(n=3, temperature=1.5, seed=3))
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert len({choice["message"]["content"] for choice in answer["choices"]}) > 1, answer
    assert answer["usage"]["completion_tokens"] <= 3 * 24


def test_a_stop_string_ends_a_text_unseen():
    whole = server.ask("/v1/completions", {"prompt": PROMPT, "temperature": 0, "max_tokens": 20})["choices"][0]["text"]
    stop = whole[8:11]
    cut = server.ask("/v1/completions", {"prompt": PROMPT, "temperature": 0, "max_tokens": 20, "stop": [stop]})["choices"][0]
    assert cut["text"] == whole[:whole.index(stop)] and cut["finish_reason"] == "stop", (whole, cut)


def test_an_echo_begins_with_the_prompts():
    body = {"prompt": [PROMPT, "The sea"], "temperature": 0, "max_tokens": 5}
    plain = [choice["text"] for choice in server.ask("/v1/completions", body)["choices"]]
    echoed = [choice["text"] for choice in server.ask("/v1/completions", {**body, "echo": True})["choices"]]
    assert echoed == [PROMPT + plain[0], "The sea" + plain[1]], (plain, echoed)
    chunks = [json.loads(event) for event in server.events("/v1/completions", {**body, "echo": True, "stream": True})[:-1]]
    streamed = ["".join(choice["text"] for chunk in chunks for choice in chunk["choices"] if choice["index"] == i) for i in (0, 1)]
    assert streamed == echoed, streamed
    assert server.refused("/v1/completions", {**body, "echo": True, "logprobs": 1})[1]["error"]["message"]


def test_a_stream_says_first_how_long_the_prompt_is():
    messages = chat()["messages"]
    events = [json.loads(event) for event in server.events("/v1/messages", {"model": "demo", "messages": messages, "max_tokens": 4,
                                                                              "stream": True})]
    whole = server.ask("/v1/messages", {"model": "demo", "messages": messages, "max_tokens": 4})
    usage = whole["usage"]
    asked = usage["input_tokens"] + usage.get("cache_read_input_tokens", 0)
    assert events[0]["message"]["usage"]["input_tokens"] == asked > 0, (events[0], usage)


def test_a_key_is_asked_for_where_there_is_one():
    guarded = Server("--api-key", "s3cret")
    try:
        assert guarded.refused("/v1/chat/completions", chat())[0] == 401
        for header in ({"Authorization": "Bearer other"}, {"x-api-key": "other"}):
            try:
                guarded.ask("/v1/chat/completions", chat(), **header)
            except urllib.error.HTTPError as error:
                assert error.code == 401, error
            else:
                raise AssertionError(header)
        for header in ({"Authorization": "Bearer s3cret"}, {"x-api-key": "s3cret"}):
            assert guarded.ask("/v1/chat/completions", chat(), **header)["choices"]
    finally:
        guarded.stop()


def test_models_are_not_open_where_others_reach_them():
    with tempfile.TemporaryDirectory() as folder:
        for options in (["--listen", "0.0.0.0:0"], ["--listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1"],
                        ["--listen", "127.0.0.1:0", "--public-url", "https://models.example"]):
            done = subprocess.run([BOTHY, "serve", str(DEMO), "--data", folder, *options], capture_output=True, text=True, timeout=60)
            assert done.returncode != 0 and "--api-key" in done.stderr, (options, done)


def test_what_cannot_be_is_refused_in_openais_shape():
    for body, status, code in (
            (chat(model="nobody/nothing"), 404, "model_not_found"),
            (chat(messages=[{"role": "user", "content": "word " * 40_000}]), 400, "context_length_exceeded"),
            (chat(messages=[]), 400, None), (chat(temperature="warm"), 400, None), (b"{", 400, None), (b"\xff\xfe", 400, None),
            (chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"not": {}}}}), 400, None)):
        found, answer = server.refused("/v1/chat/completions", body)
        assert found == status and answer["error"]["message"], (str(body)[:200], found, answer)
        assert code is None or answer["error"]["code"] == code, answer
    assert server.ask("/v1/chat/completions", chat())["choices"]


def test_a_client_that_leaves_ends_its_answer():
    before = server.metric("bothy_generation_requests_total", result="cancelled")
    body = json.dumps(chat(stream=True, max_tokens=4000, ignore_eos=True)).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    for _ in range(100):
        if server.metric("bothy_generation_requests_total", result="cancelled") > before:
            return
        time.sleep(0.1)
    raise AssertionError("it went on")


def client_results():
    """Entries for a report, of the applications' own clients."""
    if not CLIENTS.exists():
        return [not_run("clients", "serve_test", f"{CLIENTS.name} is not installed: tools/fetch_clients")]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(["timeout", "300", sys.executable, str(Path(__file__).parent / "clients" / "inference.py"),
                               "--address", server.address, "--model", "demo", "--report", str(report)],
                              env={**os.environ, "PYTHONPATH": f"{CLIENTS}:{Path(__file__).parent}", "HF_HUB_DISABLE_TELEMETRY": "1"})
        if not report.exists():
            return [{"name": "clients", "classname": "serve_test", "failures": [{"failure": f"they ended with {done.returncode}"}]}]
        return json.loads(report.read_text())["testsuites"][0]["testsuite"]


def main():
    global server
    missing = "BOTHY_QUICK: a real model" if os.environ.get("BOTHY_QUICK") else "" if DEMO.exists() else \
        f"there is no {DEMO}: tools/fetch_test_models brings it"
    if missing:
        def no_model():
            raise NotRun(missing)
        finish(run_functions({name: no_model for name in globals() if name.startswith("test_")}, "serve_test"))
    server = Server()
    try:
        only = argument("--only")
        results = run_functions({name: function for name, function in globals().items() if not only or only in name}, "serve_test")
        results += [] if only else client_results()
    finally:
        server.stop()
    finish(results)


if __name__ == "__main__":
    main()
