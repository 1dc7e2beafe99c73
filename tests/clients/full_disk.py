"""The hub's disk gets full, at every point of an upload: the client is told, nothing is left, and with room it succeeds."""
import os
import subprocess
import tempfile
from pathlib import Path

from git_program import clone, commit, git
from harness import argument, finish, run_functions
from huggingface_hub import CommitOperationAdd, HfApi
from server import BOTHY, made_bytes, made_file
from small_disk import free_bytes, leave_room

api = HfApi()
DISK = Path(os.environ["BOTHY_DATA"])
LARGE = 300_000
PAGE = 4096
# Below what an upload takes: it ends with small things, such as a ref.
LAST_PAGES = 8
MOST_TRIES = 40


def half_written():
    """Files that the hub or git writes first under another name."""
    return [path for part in ("blobs", "git", "lfs-parts") for path in (DISK / part).rglob("*")
            if path.name.startswith(("tmp_", ".tmp")) or path.suffix in (".part", ".lock")]


def check_sound():
    assert half_written() == [], half_written()
    doctor = subprocess.run([BOTHY, "doctor"], capture_output=True, text=True)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def state(repository):
    refs = api.list_repo_refs(repository)
    return [(ref.name, ref.target_commit) for ref in refs.branches], api.list_repo_files(repository)


def taken():
    """Bytes of the disk. The database keeps what it has grown by, for the next time."""
    return -free_bytes(DISK) - sum(path.stat().st_blocks * 512 for path in DISK.glob("bothy.db*"))


def check(name, send, told):
    """`send(repository)` fails with one of these texts while there is too little room, and succeeds with enough. A first
    one, to another repository, shows how much it takes. Then there is no room, half of it, and from shortly before the
    end on ever one page more."""
    first = api.create_repo(f"ada/{name}-first").repo_id
    before = taken()
    send(first)
    takes = taken() - before
    repository = api.create_repo(f"ada/{name}").repo_id
    before = state(repository)
    for refused in range(MOST_TRIES):
        room = takes // 2 * refused if refused < 2 else max(0, takes + (refused - 2 - LAST_PAGES) * PAGE)
        leave_room(DISK, room)
        try:
            send(repository)
        except Exception as error:  # noqa: BLE001 - each client has its own kind
            assert any(text in str(error) for text in told), f"with {room} bytes free: {error}"
            assert state(repository) == before
            check_sound()
        else:
            assert refused > 2, f"of {takes} bytes: it was not refused at its end"
            print(f"{name}: takes {takes} bytes, was refused {refused} times")
            return repository
        finally:
            leave_room(DISK, None)
    raise AssertionError("it was never taken")


def contents(repository, path):
    with tempfile.TemporaryDirectory() as folder:
        return Path(api.hf_hub_download(repository, path, local_dir=folder)).read_bytes()


def test_an_upload_by_xet():
    def send(to):
        with made_file(LARGE, to) as file:
            api.upload_file(path_or_fileobj=file, path_in_repo="a.bin", repo_id=to)

    # hf-xet shows the status, and not what the hub says.
    repository = check("xet", send, ["413 Content Too Large", "the disk is full"])
    assert contents(repository, "a.bin") == made_bytes(LARGE, repository)


def test_an_upload_by_lfs():
    def send(to):
        try:
            with made_file(LARGE, to) as file, open(file, "rb") as opened:
                api.upload_file(path_or_fileobj=opened, path_in_repo="a.bin", repo_id=to)
        except RuntimeError as error:  # "Error while uploading 'a.bin' to the Hub."
            raise error.__cause__

    repository = check("lfs", send, ["the disk is full"])
    assert contents(repository, "a.bin") == made_bytes(LARGE, repository)


def small_files(seed):
    return {f"{i}.txt": made_bytes(1000, f"{seed} {i}").hex().encode() for i in range(100)}


def check_small_files(repository):
    files = small_files(repository)
    with tempfile.TemporaryDirectory() as folder:
        api.snapshot_download(repository, local_dir=folder)
        assert all(Path(folder, path).read_bytes() == data for path, data in files.items())


def test_a_commit_of_many_small_files():
    repository = check("small", lambda to: api.create_commit(
        to, [CommitOperationAdd(path, data) for path, data in small_files(to).items()], commit_message="many"),
        ["No space left on device", "the disk is full"])
    check_small_files(repository)


def test_a_push_by_git():
    with tempfile.TemporaryDirectory() as folder:
        def send(to):
            work = Path(folder, to, "work")
            if not work.exists():
                work.parent.mkdir(parents=True)
                clone(to, work.parent)
                for path, data in small_files(to).items():
                    (work / path).write_bytes(data)
                (work / "a.bin").write_bytes(made_bytes(LARGE, to))
                commit(work, "many")
            # git-lfs would try for 40 s.
            git(work, "-c", "lfs.transfer.maxretries=1", "push", "--quiet")

        repository = check("git", send, ["No space left on device", "the disk is full"])
    check_small_files(repository)
    assert contents(repository, "a.bin") == made_bytes(LARGE, repository)


finish(run_functions(globals(), argument("--name")))
