"""Runs the functions test_* of a script, and writes what tools/run_tests sums up."""
import json
import sys
import traceback
from pathlib import Path


class NotRun(Exception):
    """For want of data or programs from outside the clone."""


def not_run(name, classname, reason):
    """An entry for a report."""
    print(f"{name}: not run, {reason}")
    return {"name": name, "classname": classname, "result": "SKIPPED", "skipped": [{"message": str(reason)}]}


def run_functions(functions, classname):
    """Each of them that is called test_*; a list of entries for a report."""
    results = []
    for name, function in sorted(functions.items()):
        if not name.startswith("test_"):
            continue
        entry = {"name": name, "classname": classname}
        try:
            function()
        except NotRun as reason:
            entry = not_run(name, classname, reason)
        except Exception:  # noqa: BLE001 - a test that fails in any way has failed
            traceback.print_exc()
            entry["failures"] = [{"failure": name}]
        results.append(entry)
    return results


def argument(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def finish(results):
    """Writes the report that --report names, says how it went, and exits."""
    report = argument("--report")
    if report:
        Path(report).write_text(json.dumps({"testsuites": [{"testsuite": results}]}))
    failed = [r["name"] for r in results if r.get("failures")]
    skipped = sum("skipped" in r for r in results)
    print(f"{len(results) - len(failed) - skipped} passed, {len(failed)} failed, {skipped} not run")
    sys.exit(1 if failed else 0)
