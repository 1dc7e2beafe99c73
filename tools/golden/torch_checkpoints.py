#!/usr/bin/env python3
"""Writes tests/golden/torch: checkpoints by torch.save, and what they hold in arrays.json: name: {dtype, shape, data
(hexadecimal)}.

Made with torch 2.15.0, Python 3.11:  tools/golden/torch_checkpoints.py tests/golden/torch

zip.bin: tensors of every type, views of all kinds; deflated.bin: the same archive with its members compressed;
legacy.bin: the same in the format before torch 1.6, without the types that it cannot hold; protocol4.pt and protocol5.pt:
a training checkpoint with the arrays of "small" in arrays.json under "state_dict"; module.pt: a whole nn.Module, which a
safe reader refuses.
"""
import collections
import json
import sys
import zipfile
from pathlib import Path

import torch

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
         "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
         "C64": torch.complex64}
NEW_TYPES = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu,
             "U16": torch.uint16, "U32": torch.uint32, "U64": torch.uint64}


def random(kind, shape, generator):
    element = torch.empty(0, dtype=kind).element_size()
    high = 2 if kind == torch.bool else 256
    count = int(torch.tensor(shape).prod()) if shape else 1
    data = torch.randint(0, high, (count * element,), generator=generator, dtype=torch.uint8)
    return data.view(kind).reshape(shape) if count else torch.empty(shape, dtype=kind)


def describe(tensors):
    names = {kind: name for name, kind in {**TYPES, **NEW_TYPES}.items()}
    return {name: {"dtype": names[t.dtype], "shape": list(t.shape),
                   "data": bytes(t.detach().contiguous().reshape(-1).view(torch.uint8).tolist()).hex()}
            for name, t in tensors.items()}


def main():
    folder = Path(sys.argv[1])
    g = torch.Generator().manual_seed(3)
    state = collections.OrderedDict()
    for name, kind in TYPES.items():
        state[f"type.{name}"] = random(kind, (3, 2), g)
    base = random(torch.float32, (4, 5, 6), g)
    state["views.base"] = base
    state["views.transposed"] = base[0].t()
    state["views.permuted"] = base.permute(2, 0, 1)
    state["views.row"] = base[2, 3]
    state["views.columns"] = base[:, 1:4, ::2]
    state["views.expanded"] = base[0, 0, :3].expand(7, 3)
    state["views.one"] = base[1, 1, 1:2].expand(1, 1)
    state["views.scalar"] = base[3, 4, 5]
    state["empty"] = torch.empty(0, 4)
    state["tied"] = base
    parameter = torch.nn.Parameter(random(torch.float32, (2, 2), g).nan_to_num(0.5))
    state["parameter"] = parameter
    with_state = torch.nn.Parameter(random(torch.float32, (2, 3), g).nan_to_num(0.5))
    with_state.note = "an attribute"
    state["parameter.with_state"] = with_state
    state["ünïcode"] = torch.tensor([1, 2, 3])
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    torch.save(state, folder / "legacy.bin", _use_new_zipfile_serialization=False)
    for name, kind in NEW_TYPES.items():
        state[f"type.{name}"] = random(kind, (3, 2), g)
    torch.save(state, folder / "zip.bin")
    with zipfile.ZipFile(folder / "zip.bin") as stored, \
            zipfile.ZipFile(folder / "deflated.bin", "w", zipfile.ZIP_DEFLATED) as deflated:
        for info in stored.infolist():
            deflated.writestr(zipfile.ZipInfo(info.filename), stored.read(info), zipfile.ZIP_DEFLATED)

    module = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    checkpoint = {"epoch": 7, "loss": 0.25, "name": "run", "done": False, "raw": b"\x00\xff", "shape": torch.Size([1, 2]),
                  "dtype": torch.float16, "device": torch.device("cpu"), "set": {1, 2}, "none": None, "big": 2**80,
                  "args": {"a": [1, -2, (3.5,)], "b": {}}, "rng": torch.get_rng_state()[:8],
                  "optimizer": optimizer.state_dict(), "state_dict": module.state_dict()}
    del checkpoint["rng"]
    for protocol in (4, 5):
        torch.save(checkpoint, folder / f"protocol{protocol}.pt", pickle_protocol=protocol)
    torch.save(module, folder / "module.pt")
    arrays = {"all": describe(state), "small": describe(module.state_dict())}
    (folder / "arrays.json").write_text(json.dumps(arrays, indent=0, ensure_ascii=False) + "\n")


main()
