"""Files of weights."""

import io
from pathlib import Path
from random import Random

import safetensors.torch
import torch
from fuzz_mutations import changed_bytes

from resnet_sizes.data.weights import NotAStateDict, load_tensors

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
    b"I" + b"9" * 5000 + b"\n.", b"L" + b"9" * 200_000 + b"L\n.",
    # Nothing, or nonsense.
    b"\x80\xff.", b"", b".", b"N.", b"2.", b"0.", b"}}s.",
]  # fmt: skip


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
