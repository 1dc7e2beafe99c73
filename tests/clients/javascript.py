"""npm @huggingface/hub: runs javascript.mjs, which prints one line of JSON for each of its tests."""
import json
import os
import shutil
import subprocess
from pathlib import Path

from harness import argument, finish

# Seconds for all of them.
ENDS_WITHIN = 300
# As the package asks for.
LEAST_NODE = 18


def missing():
    """Why the tests cannot run, or nothing."""
    if not shutil.which("node"):
        return "node is not installed"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < LEAST_NODE:
        return f"node is {version}, the client asks for {LEAST_NODE}"
    return None


def main():
    name = argument("--name")
    if reason := missing():
        finish([{"name": "javascript", "classname": name, "result": "SKIPPED", "skipped": [{"message": reason}]}])
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
