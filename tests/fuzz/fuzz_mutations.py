"""Changes to bytes and to nested data, such as accidents and malice make."""

import copy
from itertools import islice
from random import Random
from typing import Any

_BYTES = b"\x00\x01\x7f\x80\xff \n\t\"'/\\%{}[]:"
_INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 2**31, 2**63, 2**64, 10**30, 10**90, -(10**30),
    0.5, -0.5, 1e308, 1e-320, "", " ", "x", "1", "-1", "1e-4", "1e999", "nan", ".inf",
    "x" * 5000, "\x00", "\x1b[31m", "a\nb", "\u202etxt", "שלום", "🙂", "é",
    "<script>", "#sys", "{{ x }}", "<< x >>", "../..", "/dev/zero", "C:\\x",
    "http://user:secret@host/?token=secret", [], {}, [[]], [None], {"": 1}, {"a": {"a": {}}},
]  # fmt: skip
"""What stands where something else is expected."""


_MANY = 100


def changed_bytes(random: Random, content: bytes, other: bytes = b"") -> bytes:
    """`content` after one to six changes; `other` gives pieces to splice in."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        place = random.randrange(len(data) + 1)
        match random.randrange(9):
            case 0 if data:
                data[place % len(data)] ^= 1 << random.randrange(8)
            case 1 if data:
                data[place % len(data)] = random.choice(_BYTES)
            case 2:
                data[place:place] = random.randbytes(random.choice((1, 4, 64)))
            case 3:
                del data[place : place + random.choice((1, 4, 64, 1000))]
            case 4:
                data[place:place] = data[place : place + random.choice((4, 64, 1000))]
            case 5 if random.random() < 0.3:
                del data[place:]
            case 6:
                start = random.randrange(len(other) + 1)
                data[place:place] = other[start : start + random.choice((8, 64, 512))]
            case _:
                width = random.choice((1, 2, 4, 8))
                number = random.choice(_INTEGERS) % 256**width
                order: Any = random.choice(("little", "big"))
                data[place : place + width] = number.to_bytes(width, order)
    return bytes(data)


def _fresh(random: Random) -> Any:
    """One of VALUES, which a later change may not reach."""
    return copy.deepcopy(random.choice(VALUES))


def changed_data(random: Random, data: Any) -> Any:
    """Nested lists and mappings after one to three changes; the original is left alone."""
    data = copy.deepcopy(data)
    for _ in range(random.choice((1, 1, 2, 3))):
        holders = list(_holders(data))
        if not holders:
            return _fresh(random)
        holder = random.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = random.choice(keys)
        match random.randrange(8):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[_misspelt(random, str(key))] = holder[key]
            case 1:
                holder.append(holder[key])
            case 2 if isinstance(holder, dict):
                holder[str(_fresh(random))] = _fresh(random)
            case 3:
                # What grows without bound would only harm the fuzz.
                most = 200 if _size(holder[key]) < _MANY else 1
                holder[key] = [holder[key]] * random.choice((1, 2, most))
            case 4:
                for _ in range(random.choice((2, 30, 300))):
                    holder[key] = random.choice(([holder[key]], {"a": holder[key]}))
            case 5:
                holder[key] = holder[random.choice(keys)]
            case _:
                holder[key] = _near(random, holder[key])
    return data


def _size(data: Any) -> int:
    return sum(len(holder) for holder in islice(_holders(data), _MANY))


def _holders(data: Any) -> Any:
    stack = [data]
    while stack:
        item = stack.pop()
        if isinstance(item, dict | list):
            if item:
                yield item
            stack.extend(item.values() if isinstance(item, dict) else item)


def _near(random: Random, value: Any) -> Any:
    if random.random() < 0.5:
        return _fresh(random)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return random.choice(
            (-value, value + 1, value * 2, value * 10**20, float(value), str(value))
        )
    if isinstance(value, str):
        return random.choice((value.upper(), value + "x", value[1:], value * 50, value[::-1]))
    return _fresh(random)


def _misspelt(random: Random, key: str) -> str:
    place = random.randrange(len(key) + 1)
    return key[:place] + random.choice(("", "x", "_", "é", "\n")) + key[place + 1 :]
