"""A file system of a few megabytes, for tests of what happens when it is full."""
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from harness import NotRun


@contextmanager
def small_disk(folder, size):
    """In memory, at this folder."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "bothy-test", folder], capture_output=True,
                             text=True)
    if mounted.returncode != 0:
        raise NotRun(f"a small disk cannot be mounted: {mounted.stderr.strip() or 'as root it could'}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def resize(folder, size):
    """What is on the disk stays."""
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


def free_bytes(folder):
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def leave_room(folder, size):
    """Fills the disk at this folder until so many bytes are free, in whole pages; None: frees what it has taken."""
    filler = Path(folder, "filler")
    filler.unlink(missing_ok=True)
    if size is None:
        return
    with open(filler, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, free_bytes(folder) - size)
