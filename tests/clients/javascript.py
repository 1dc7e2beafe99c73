"""npm @huggingface/hub: runs javascript.mjs, which prints one line of JSON for each of its tests."""
import json
import os
import shutil
import subprocess
from pathlib import Path

from harness import argument, finish

# Seconds for all of them.
ENDS_WITHIN = 300


def main():
    name = argument("--name")
    if not shutil.which("node"):
        finish([{"name": "javascript", "classname": name, "result": "SKIPPED",
                 "skipped": [{"message": "node is not installed"}]}])
    done = subprocess.run(["node", str(Path(__file__).with_suffix(".mjs"))], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "CLIENT": os.environ["CLIENT"] + "/"}, timeout=ENDS_WITHIN)
    results = [{"classname": name, **json.loads(line)} for line in done.stdout.splitlines() if line.startswith("{")]
    for entry in results:
        for failure in entry.get("failures", []):
            print(failure["failure"])
    if done.returncode != 0:
        results.append({"name": "it_ends", "classname": name, "failures": [{"failure": f"exit code {done.returncode}"}]})
    finish(results)


main()
