"""CIFAR-10's pickles, and files of weights."""

import io
import tarfile
from pathlib import Path
from random import Random

import numpy as np
import safetensors.torch
import torch
from fuzz_mutations import changed_bytes, changed_data

from cifar10_archive import batch_contents, python2_pickle
from resnet_sizes.data.sources.cifar10 import Cifar10Source
from resnet_sizes.data.state_dict import NotAStateDict, load_tensors

EXPLOITS = [
    # Calls of functions.
    b"cos\nsystem\n(S'id'\ntR.", b"cbuiltins\neval\n(S'1'\ntR.", b"(S'a'\nS'b'\nios\nsystem\n.",
    b"\x80\x04\x8c\x02os\x8c\x06system\x93.", b"(cnumpy\ndtype\no.", b"cnumpy\ndtype\n)\x81.",
    b"cnumpy.core.multiarray\n_reconstruct\n.", b"cnumpy\ndtype\n(tR.",
    b"cnumpy\nndarray\n(tR.", b"cnumpy\nndarray\n}b.", b"Pid\n.", b"\x82\x01.",
    # Memory: places in the memo, and declared sizes.
    b"}r\xff\xff\xff\x7f.", b"}r\xff\xff\xff\x0f.", b"}p99999999999\n.",
    b"\x8e" + b"\xff" * 7 + b"\x7f.", b"\x96\0\0\0\0\x04\0\0\0.", b"\x8b\xff\xff\xff\x7f.",
    b"\x80\x04\x95" + b"\xff" * 8 + b".",
    # Depth, repetition, digits.
    b"]q\x00" + b"(" * 100_000 + b".", b"]q\x00" + b"(h\x00h\x00l" * 3000 + b".",
    b"I" + b"9" * 5000 + b"\n.", b"L" + b"9" * 200_000 + b"L\n.", b"c" + b"x" * 100_000 + b"\ny\n.",
    # Nothing, or nonsense.
    b"\x80\xff.", b"", b".", b"N.", b"2.", b"0.", b"}}s.",
]  # fmt: skip


class BatchPickle:
    """Archives of CIFAR-10 with one changed batch."""

    name = "CIFAR-10 pickles"
    suffix = ".tar"
    refusals = ()

    def __init__(self, folder: Path) -> None:
        self._contents = batch_contents(2)
        self._pickles = {name: python2_pickle(value) for name, value in self._contents.items()}

    def make(self, random: Random) -> bytes:
        name = random.choice(("test_batch", "data_batch_1", "batches.meta"))
        return _tar({**self._pickles, name: self._changed(random, name)})

    def _changed(self, random: Random, name: str) -> bytes:
        content = self._pickles[name]
        match random.randrange(10):
            case 0 | 1:
                return random.choice(EXPLOITS)
            case 2:
                return content
            case 3 | 4 | 5:
                data = {
                    key: value
                    for key, value in self._contents[name].items()
                    if not isinstance(value, np.ndarray)
                }
                whole = {**self._contents[name], **changed_data(random, data)}
                try:
                    return python2_pickle(whole)
                except (OverflowError, UnicodeEncodeError, RecursionError):
                    return content
            case 6:
                place = random.randrange(len(content))
                return content[:place] + random.choice(EXPLOITS)[:-1] + content[place:]
            case 7:  # near the ends, where the structure is
                part = random.choice((content[:120], content[-200:]))
                return content.replace(part, changed_bytes(random, part, content[:100]))
            case _:
                return changed_bytes(random, content, content[-300:])

    def read(self, path: Path) -> None:
        source = Cifar10Source(path)
        source.images({"test": np.arange(len(source.labels["test"]))})["test"]


class WeightsFile:
    """State dicts, as `torch.save` and safetensors write them."""

    name = "files of weights"
    suffix = ".pth"
    refusals = (NotAStateDict,)

    def __init__(self, folder: Path) -> None:
        state = {"conv1.weight": torch.zeros(2, 3), "fc.bias": torch.zeros(4), "n": torch.tensor(1)}
        self._files = []
        for legacy in (False, True):
            target = io.BytesIO()
            torch.save(state, target, _use_new_zipfile_serialization=not legacy)
            self._files.append(target.getvalue())
        self._tensors = safetensors.torch.save(state)
        self._path = folder / "weights"

    def make(self, random: Random) -> bytes:
        if random.random() < 0.3:
            return self._tensors if random.random() < 0.2 else changed_bytes(random, self._tensors)
        content = random.choice(self._files)
        match random.randrange(6):
            case 0:
                return content
            case 1:
                return random.choice(EXPLOITS)
            case 2:
                place = random.randrange(len(content))
                return content[:place] + random.choice(EXPLOITS) + content[place:]
            case _:
                return changed_bytes(random, content, content[:200])

    def read(self, path: Path) -> None:
        content = path.read_bytes()
        suffix = ".safetensors" if content[8:9] == b"{" else ".pth"
        file = self._path.with_suffix(suffix)
        file.write_bytes(content)
        load_tensors(file)


def _tar(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()
