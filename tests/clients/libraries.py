"""transformers and datasets load by name, and HfFileSystem reads and writes."""
import io

import pyarrow
import pyarrow.parquet
from datasets import Dataset, get_dataset_config_names, load_dataset
from harness import argument, finish, run_functions
from huggingface_hub import HfApi, HfFileSystem
from server import made_bytes
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoTokenizer, BertConfig, PreTrainedTokenizerFast

api = HfApi()


def new_dataset(name, **files):
    """Of files, whose names are given with _ for a dot."""
    repository = f"ada/{name}"
    api.create_repo(repository, repo_type="dataset")
    for path, data in files.items():
        api.upload_file(path_or_fileobj=data, path_in_repo=path.replace("_", "."), repo_id=repository, repo_type="dataset")
    return repository


def test_a_tokenizer_is_pushed_and_loaded_by_name():
    words = Tokenizer(models.WordLevel({"[UNK]": 0, "hello": 1, "world": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]").push_to_hub("ada/tokenizer")
    assert AutoTokenizer.from_pretrained("ada/tokenizer")("hello new world").input_ids == [1, 0, 2]


def test_a_configuration_is_pushed_and_loaded_by_name():
    BertConfig(hidden_size=48, num_attention_heads=2).push_to_hub("ada/configuration")
    assert AutoConfig.from_pretrained("ada/configuration").hidden_size == 48


def test_csv_is_loaded_by_name():
    rows = load_dataset(new_dataset("csv", train_csv=b"a,b\n1,x\n2,y\n"), split="train")
    assert rows.to_dict() == {"a": [1, 2], "b": ["x", "y"]}


def test_json_lines_are_loaded_by_name():
    splits = load_dataset(new_dataset("jsonl", train_jsonl=b'{"a":1}\n{"a":2}\n', test_jsonl=b'{"a":3}\n'))
    assert {name: split["a"][:] for name, split in splits.items()} == {"train": [1, 2], "test": [3]}


def test_parquet_is_loaded_by_name_whole_and_as_a_stream():
    table = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"a": list(range(10_000))}), table)
    repository = new_dataset("parquet", train_parquet=table.getvalue())
    assert load_dataset(repository, split="train")["a"][:] == list(range(10_000))
    stream = load_dataset(repository, split="train", streaming=True)
    assert [row["a"] for row in stream.take(3)] == [0, 1, 2]


def test_a_dataset_is_pushed_in_parts_and_loaded_by_name():
    rows = {"x": list(range(5000)), "s": [str(i) for i in range(5000)]}
    Dataset.from_dict(rows).push_to_hub("ada/pushed", max_shard_size="50KB")
    Dataset.from_dict({"x": [1], "s": ["t"]}).push_to_hub("ada/pushed", split="test")
    Dataset.from_dict({"y": [2]}).push_to_hub("ada/pushed", "other")
    assert sum(f.startswith("data/train-") for f in api.list_repo_files("ada/pushed", repo_type="dataset")) > 1
    assert get_dataset_config_names("ada/pushed") == ["default", "other"]
    splits = load_dataset("ada/pushed")
    assert splits["train"].to_dict() == rows and len(splits["test"]) == 1
    assert load_dataset("ada/pushed", "other", split="train")["y"][:] == [2]


def test_a_file_system_lists_reads_writes_and_removes():
    files, root = HfFileSystem(), "ada/files"
    api.create_repo(root)
    data = made_bytes(12_000_000, 1)
    with files.open(f"{root}/notes/a.txt", "w") as file:
        file.write("text")
    with files.open(f"{root}/big.bin", "wb") as file:
        file.write(data)
    assert files.cat(f"{root}/notes/a.txt") == b"text"
    assert files.read_block(f"{root}/big.bin", 5_000_000, 1000) == data[5_000_000:5_001_000]
    assert files.info(f"{root}/big.bin")["size"] == len(data)
    assert files.ls(root, detail=False) == [f"{root}/.gitattributes", f"{root}/big.bin", f"{root}/notes"]
    assert files.glob(f"{root}/**/*.txt") == [f"{root}/notes/a.txt"]
    files.mv(f"{root}/notes/a.txt", f"{root}/b.txt")
    files.rm(f"{root}/big.bin")
    assert files.find(root) == [f"{root}/.gitattributes", f"{root}/b.txt"] and not files.exists(f"{root}/notes/a.txt")


finish(run_functions(globals(), argument("--name")))
