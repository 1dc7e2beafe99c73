"""huggingface_hub 0.36: its upload of large folders, which goes file by file and remembers what it has done."""
import tempfile
from pathlib import Path

from harness import argument, finish, run_functions
from huggingface_hub import HfApi
from server import made_bytes

api = HfApi()


def test_a_large_folder_comes_back_whole():
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as copy:
        for i in range(60):
            Path(folder, f"{i}.txt").write_text(f"file {i}\n")
        for i in range(4):
            Path(folder, f"{i}.bin").write_bytes(made_bytes(1_500_000, i))
        api.upload_large_folder("ada/large-folder", folder, repo_type="dataset", print_report=False)
        commits = len(api.list_repo_commits("ada/large-folder", repo_type="dataset"))
        # Again: there is nothing left to do.
        api.upload_large_folder("ada/large-folder", folder, repo_type="dataset", print_report=False)
        assert len(api.list_repo_commits("ada/large-folder", repo_type="dataset")) == commits
        api.snapshot_download("ada/large-folder", repo_type="dataset", local_dir=copy)
        for path in Path(folder).glob("*.*"):
            if path.is_file():
                assert Path(copy, path.name).read_bytes() == path.read_bytes()


finish(run_functions(globals(), argument("--name")))
