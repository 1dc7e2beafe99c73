#!/usr/bin/env python3
"""Grammars of JSON schemas beside Python's jsonschema: random walks under the masks end in values that meet their
schema, and values that meet it, or do not, are told apart. Needs BOTHY, for grammar_samples lies beside it."""
import copy
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

from grammar_schemas import schemas
from harness import NotRun, finish, run_functions

CLIENTS = Path(os.environ.get("BOTHY_TEST_CLIENTS") or Path.home() / ".cache" / "bothy" / "clients")
MODELS = Path(os.environ.get("BOTHY_TEST_MODELS") or Path.home() / ".cache" / "bothy" / "models")
SAMPLES = Path(os.environ.get("BOTHY", "build/dev/bothy")).with_name("grammar_samples")
REFERENCE = CLIENTS / "jsonschema-4.26.0"
SAMPLES_EACH = 6


def reference():
    """A function that tells whether a value meets a schema, formats too."""
    if not REFERENCE.exists():
        raise NotRun(f"{REFERENCE.name} is not installed: tools/fetch_clients")
    sys.path.insert(0, str(REFERENCE))
    from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

    def pattern(_, expression, value, __):
        # Patterns are ECMA-262's, whose \\d and \\w are ASCII's; Python's are not, unless told.
        if isinstance(value, str) and not re.search(expression, value, re.ASCII):
            yield ValidationError(expression)
    validator = validators.extend(Draft202012Validator, {"pattern": pattern})

    def meets(value, schema):
        return validator(schema, format_checker=FormatChecker()).is_valid(value)
    return meets


class Grammars:
    """The program under test, with a tokenizer."""

    def __init__(self, tokenizer):
        path = MODELS / "tokenizers" / tokenizer / "tokenizer.json"
        if not path.exists():
            raise NotRun(f"{path} is missing: tools/fetch_test_models")
        self.process = subprocess.Popen([SAMPLES, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, schema, samples=0, seed=0, texts=()):
        request = {"schema": schema, "samples": samples, "seed": seed, "texts": list(texts)}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, f"grammar_samples has ended, over {json.dumps(schema)}"
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def spellings(value):
    """Ways to write a value that a grammar takes."""
    yield json.dumps(value, ensure_ascii=False)
    yield json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    yield json.dumps(value, ensure_ascii=False, indent=2)


def places(value, place=()):
    yield place
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, place + (key,))


def mutant(value, source):
    """The value with something in it changed."""
    value = copy.deepcopy(value)
    place = source.choice(list(places(value)))
    holder = {"": value}
    *way, last = ("",) + place
    part = holder
    for key in way:
        part = part[key]
    old = part[last]
    changes = [None, True, 0, -1, 10 ** 6, 0.125, "", "other", [], {}, [old], {"other": old}]
    if isinstance(old, str):
        changes += [old + "x", old[1:], old.upper(), old * 9]
    if isinstance(old, (int, float)) and not isinstance(old, bool):
        changes += [old + 1, old - 1, old + 0.5, -old, old * 1000]
    if isinstance(old, list):
        changes += [old + [None], old[1:], old + old]
    if isinstance(old, dict):
        changes += [{**old, "unknown": 1}, dict(list(old.items())[1:]), dict(list(old.items())[:-1])]
    part[last] = source.choice(changes)
    return holder[""]


def test_every_finished_answer_meets_its_schema():
    meets = reference()
    for tokenizer, half in (("llama3", 0), ("mistral-v1", 1)):
        with Grammars(tokenizer) as grammars:
            for number, (schema, _) in enumerate(schemas()):
                if number % 2 != half:
                    continue
                answer = grammars.ask(schema, samples=SAMPLES_EACH, seed=number)
                assert "error" not in answer, (number, answer["error"], schema)
                assert len(answer["samples"]) == SAMPLES_EACH, (number, schema)
                for text in answer["samples"]:
                    value = json.loads(text)
                    json.dumps(value, ensure_ascii=False).encode()  # no half characters
                    assert meets(value, schema), (number, text, schema)


def test_values_that_meet_a_schema_are_taken_and_others_are_not():
    meets = reference()
    taken = refused = 0
    with Grammars("mistral-v1") as grammars:
        for number, (schema, values) in enumerate(schemas()):
            source = random.Random(number)
            good = []
            for value in values:
                assert meets(value, schema), (number, value, schema)
                good += spellings(value)
            mutants = [mutant(value, source) for value in values for _ in range(5)]
            bad = [text for value in mutants if not meets(value, schema) for text in spellings(value)]
            answer = grammars.ask(schema, texts=good + bad)
            assert "error" not in answer, (number, answer["error"], schema)
            for text, takes in zip(good, answer["takes"]):
                assert takes, (number, text, schema)
            for text, takes in zip(bad, answer["takes"][len(good):]):
                assert not takes, (number, text, schema)
            taken, refused = taken + len(good), refused + len(bad)
    print(f"{taken} texts taken, {refused} refused")
    assert refused > 5000, refused


finish(run_functions(dict(globals()), "Grammar"))
