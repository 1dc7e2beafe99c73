"""The git program, as a user of the hub has it: with git-lfs, and the token in its configuration."""
import os
import re
import subprocess
from pathlib import Path


def git(folder, *args, user="ada", fails=False):
    """What it prints."""
    host = re.sub("^http://", "", os.environ["HF_ENDPOINT"])
    token = os.environ["HF_TOKEN" if user == "ada" else "BOB_TOKEN"]
    # Nothing of the person's own configuration, and no question at a terminal.
    settings = {"GIT_CONFIG_GLOBAL": f"{os.environ['HF_HOME']}/gitconfig", "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0", "HOME": os.environ["HF_HOME"]}
    Path(os.environ["HF_HOME"]).mkdir(parents=True, exist_ok=True)
    Path(settings["GIT_CONFIG_GLOBAL"]).write_text(
        "[user]\n name = Ada\n email = ada@example.org\n"
        '[filter "lfs"]\n clean = git-lfs clean -- %f\n smudge = git-lfs smudge -- %f\n'
        " process = git-lfs filter-process\n required = true\n"
        f'[url "http://{user}:{token}@{host}/"]\n insteadOf = http://{host}/\n')
    done = subprocess.run(["git", *args], cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True,
                          timeout=120)
    assert (done.returncode != 0) == fails, f"{args}: {done.stdout}{done.stderr}"
    return done.stdout + (done.stderr if fails else "")


def clone(repository, folder, *options, **how):
    git(folder, "clone", "--quiet", *options, f"{os.environ['HF_ENDPOINT']}/{repository}", "work", **how)
    return Path(folder, "work")


def commit(work, message):
    git(work, "add", "-A")
    git(work, "commit", "--quiet", "-m", message)
