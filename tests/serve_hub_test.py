#!/usr/bin/env python3
"""Models that were pushed to the hub answer from where they lie. Needs BOTHY, the demo model of tools/fetch_test_models and what tools/fetch_clients installs."""
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from harness import NotRun, finish, run_functions

sys.path.insert(0, str(Path(__file__).parent / "clients"))
from server import Server  # noqa: E402

CLIENTS = Path(os.environ.get("BOTHY_TEST_CLIENTS") or Path.home() / ".cache" / "bothy" / "clients")
MODELS = Path(os.environ.get("BOTHY_TEST_MODELS") or Path.home() / ".cache" / "bothy" / "models")
DEMO = MODELS / "SmolLM2-135M-Instruct.Q4_1.gguf"
UPLOAD = """import sys
from huggingface_hub import HfApi
api = HfApi()
api.create_repo(sys.argv[1], private=True, exist_ok=True)
api.upload_file(repo_id=sys.argv[1], path_in_repo=sys.argv[2], path_or_fileobj=sys.argv[3])"""

hub = None
folder = None


def upload(repository, name, path):
    subprocess.run([sys.executable, "-c", UPLOAD, repository, name, str(path)], check=True, capture_output=True,
                   env={**os.environ, **hub.environment(f"{folder}/home"), "PYTHONPATH": str(CLIENTS / "huggingface_hub-2.4.0")})


def ask(model, user="ada", question="Hello"):
    """Status and answer of a chat."""
    body = {"model": model, "messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 8}
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {hub.tokens[user]}"} if user else {})}
    try:
        with urllib.request.urlopen(urllib.request.Request(hub.address + "/v1/chat/completions", json.dumps(body).encode(), headers),
                                    timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def stored():
    return sum(path.stat().st_size for path in Path(hub.data).rglob("*") if path.is_file())


def test_a_model_of_the_hub_answers_without_a_second_copy():
    upload("ada/demo", "demo.Q4_1.gguf", DEMO)
    before = stored()
    for name in ("ada/demo", "ada/demo@main", "ada/demo:Q4_1", "ada/demo:demo.Q4_1.gguf"):
        status, answer = ask(name)
        assert status == 200 and answer["choices"][0]["message"]["content"], (name, answer)
    assert stored() - before < 10_000_000, "it was copied"


def test_only_those_who_may_read_it_are_answered():
    upload("ada/secret", "model.gguf", DEMO)
    assert ask("ada/secret")[0] == 200
    for user in ("bob", None):
        status, answer = ask("ada/secret", user)
        assert status == 404 and answer["error"]["code"] == "model_not_found", (user, answer)
    assert ask("ada/secret@nowhere")[0] == 404


def test_a_broken_model_is_told_and_the_others_answer():
    upload("ada/good", "model.gguf", DEMO)
    broken = Path(folder, "broken.gguf")
    broken.write_bytes(DEMO.read_bytes()[:5_000_000])
    upload("ada/broken", "model.gguf", broken)
    for _ in range(2):
        status, answer = ask("ada/broken")
        assert status == 500 and "model.gguf" in answer["error"]["message"], answer
    assert ask("ada/good")[0] == 200
    upload("ada/broken", "model.gguf", DEMO)  # the next revision is whole
    assert ask("ada/broken")[0] == 200


def main():
    global hub, folder
    missing = next((path for path in (DEMO, CLIENTS / "huggingface_hub-2.4.0") if not path.exists()), None)
    if missing or os.environ.get("BOTHY_QUICK"):
        def not_there():
            raise NotRun(f"there is no {missing}: tools/fetch_test_models and tools/fetch_clients bring it" if missing else
                         "BOTHY_QUICK: a real model")
        finish(run_functions({name: not_there for name in globals() if name.startswith("test_")}, "serve_hub_test"))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        os.environ["BOTHY_CACHE_MEMORY"] = "256MiB"
        hub = Server(data)
        try:
            results = run_functions(globals(), "serve_hub_test")
        finally:
            hub.stop()
    finish(results)


if __name__ == "__main__":
    main()
