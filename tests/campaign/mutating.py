"""Damages small valid files in ways that files get damaged, always the same for one seed.

Bytes are flipped, cut, zeroed, repeated and mixed up; values of JSON, YAML and tables are replaced by what nobody
expects there; arrays get shapes and types that no reader knows.
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

Mutator = Callable[[Random, bytes], bytes]

STARTS = (
    b"PK\x03\x04",
    b"\x93NUMPY",
    b"\x89HDF\r\n\x1a\n",
    b"\x1f\x8b",
    b"\x80\x04",
    b"PAR1",
    b"\xff\xfe",
    b"<html>",
    b"{",
)
"""First bytes of files of other forms."""


ODD_YAML = ("2020-99-99", "!!binary x", "1:" * 9 + "1", "? [a]", "<<: x", "!!int x")
SHAPES = ((), (0,), (4,), (1, 4), (4, 1), (0, 4), (4, 0), (1, 3, 4), (3, 1, 4), (3, 4, 1, 1), (2, 3, 4), (3, 1, 1))
LIES = ("(1000000000, 1000000000)", "(-1, 4)", "(3, 'a')", "(3, 4,", "(True, 4)", "(10**9,)", "(" * 90, "()")


class Raw(str):
    """JSON text that no value gives, such as a number of 400 digits."""


ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**31, 2**63, 2**64, -(2**63) - 1, 1e308, list(range(5000))),
    *("", " ", "x", "1_0", "\x00", "../../x", "é", "＝1", "\ud800", "a\nb", "\x1b[31m", "x" * 100_000),
    *([], {}, [[]], [{}], {"": None}, [None], [1, 2], ["a", 3], {"a": {"b": []}}),
    *map(Raw, ("1" + "0" * 400, "-1" + "0" * 400, "1" + "0" * 5000, "NaN", "Infinity", "-Infinity", "1e999")),
    *map(Raw, ("[" * 200 + "]" * 200, "[" * 20_000, '{"a": 1, "a": 2}')),
)
"""Values that do not belong where they are put."""


def odd_values(random: Random) -> Any:
    """Returns a value that does not belong where it is put."""
    return copy.deepcopy(random.choice(ODD))  # what is put into a value is changed itself later


def bytes_mutated(random: Random, content: bytes) -> bytes:
    """Returns a file with some of its bytes damaged."""
    changed = bytearray(content)
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        size = len(changed)
        start = random.randrange(size + 1)
        # the beginning, where headers are, is hit as often as all the rest
        start = min(start, random.randrange(256)) if random.random() < 0.5 else start
        length = random.choice([1, 1, 2, 4, 8, 64, 512])
        match random.randrange(9):
            case 0:
                for place in range(start, min(size, start + length)):
                    changed[place] ^= 1 << random.randrange(8)
            case 1:
                del changed[start:]
            case 2:
                changed[start : start + length] = bytes(min(length, max(size - start, 0)))
            case 3:
                changed[start:start] = random.randbytes(length)
            case 4:
                del changed[start : start + length]
            case 5:
                changed += changed[start : start + length]
            case 6:
                changed[start : start + length] = random.randbytes(min(length, max(size - start, 0)))
            case 7:
                changed[start : start + length] = b"\xff" * min(length, max(size - start, 0))
            case 8:
                mark = random.choice(STARTS)
                changed[: len(mark)] = mark
    return bytes(changed)


def json_mutated(random: Random, content: bytes) -> bytes:
    """Returns JSON with one to three of its values, keys or lists changed; now and then damaged bytes instead."""
    if random.random() < 0.2:
        return bytes_mutated(random, content)
    value = copy.deepcopy(json.loads(content))
    for _ in range(random.choice([1, 1, 2, 3])):
        value = _changed(random, value)
    return written(value).encode("utf-8", "surrogatepass")


def lines_mutated(random: Random, content: bytes) -> bytes:
    """Returns JSON Lines with one line changed."""
    lines = content.splitlines()
    place = random.randrange(len(lines))
    lines[place] = json_mutated(random, lines[place])
    return b"\n".join(lines) + b"\n"


def text_mutated(random: Random, content: bytes) -> bytes:
    """Returns text with fields of some lines replaced, or with damaged bytes."""
    if random.random() < 0.3:
        return bytes_mutated(random, content)
    text = content.decode()
    separator = "," if "," in text.partition("\n")[0] else " "
    rows = [line.split(separator) for line in text.splitlines()]
    for _ in range(random.choice([1, 1, 2, 5])):
        row = random.choice(rows)
        place = random.randrange(len(row))
        odd = odd_values(random)
        match random.randrange(5):
            case 0:
                del row[place]
                row = row or [""]
            case 1:
                row.insert(place, str(odd))
            case 2:
                rows.insert(random.randrange(len(rows)), list(row))
            case _:
                row[place] = odd if isinstance(odd, str) else written(odd)
        rows = [row or [""] for row in rows]
    return "\n".join(separator.join(map(str, row)) for row in rows).encode("utf-8", "surrogatepass")


def yaml_mutated(random: Random, content: bytes) -> bytes:
    """Returns YAML with changed values (JSON is YAML), aliases, tags, or damaged bytes."""
    roll = random.random()
    if roll < 0.3:
        return bytes_mutated(random, content)
    if roll < 0.4:
        levels = random.randrange(2, 12)
        bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        bomb += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
        odd = random.choice(
            [f"*a{levels - 1}", "&b [*b]", "!!python/object:os.system x", "2020-99-99", "!!binary x", "1:" * 9 + "1"]
        )
        return content + "\n".join(["", *bomb, f"odd: {odd}", ""]).encode()
    import yaml

    value = yaml.safe_load(content)
    for _ in range(random.choice([1, 1, 2, 3])):
        value = _changed(random, value)
    return written(value).encode("utf-8", "surrogatepass")


def card_mutated(random: Random, content: bytes) -> bytes:
    """Returns a model card whose head is changed as YAML is, or with damaged bytes."""
    before, head, after = content.split(b"---\n", 2)
    return b"---\n".join([before, yaml_mutated(random, head) + b"\n", after])


def npy_mutated(random: Random, content: bytes) -> bytes:
    """Returns an array of another shape or type, with a header that lies, or with damaged bytes."""
    if random.random() < 0.6:
        return bytes_mutated(random, content)
    return npy(odd_array(random)) if random.random() < 0.6 else lying_header(random)


def odd_array(random: Random) -> np.ndarray:
    """Returns an array that no reader of features or similarities expects."""
    shape = random.choice(
        [(), (0,), (4,), (1, 4), (4, 1), (0, 4), (4, 0), (1, 3, 4), (3, 1, 4), (3, 4, 1, 1), (2, 3, 4), (3, 1, 1)]
    )
    kind = random.choice(["<f2", ">f4", "<f8", "<i4", "?", "<c8", "<U3", "S3", "<M8[s]", "V4", [("a", "<f4")], "<f4"])
    array = np.zeros(shape, dtype=kind)
    if array.dtype.kind == "f" and random.random() < 0.5:
        array = array + np.asarray(random.choice([np.nan, np.inf, -np.inf, 1.0]), dtype=array.dtype)
    return array


def npy(array: np.ndarray) -> bytes:
    """Returns an array as the bytes of an npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def lying_header(random: Random) -> bytes:
    """Returns an npy file whose header says more or other than it holds."""
    shape = random.choice(
        ["(1000000000, 1000000000)", "(-1, 4)", "(3, 'a')", "(3, 4,", "(True, 4)", "(10**9,)", "(" * 90, "()"]
    )
    kind = random.choice(["'<f4'", "'|O'", "'<f4', 'x': 1", "[('a', '|O')]", "'<U99999999'", "'nonsense'", "None"])
    order = random.choice(["True", "False", "1", "None"])
    text = f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}"
    head = (text.ljust(117) + "\n").encode()
    version = random.choice([b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"])
    size = len(head).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + head + bytes(48)


def npz_mutated(random: Random, content: bytes) -> bytes:
    """Returns an npz with an odd array, a header that lies, or damaged bytes."""
    import zipfile

    if random.random() < 0.6:
        return bytes_mutated(random, content)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        changed = random.choice(old.namelist())
        for name in old.namelist():
            new.writestr(name, npy_mutated(random, old.read(name)) if name == changed else old.read(name))
    return file.getvalue()


def tensors_mutated(random: Random, content: bytes) -> bytes:
    """Returns a safetensors file with a changed header, or with damaged bytes."""
    if random.random() < 0.5:
        return bytes_mutated(random, content)
    length = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + length])
    if "__metadata__" in head and random.random() < 0.7:
        said = head["__metadata__"]
        name = next(iter(said))
        said[name] = json_mutated(random, said[name].encode()).decode("utf-8", "replace")
        changed = json.dumps(head).encode()
    else:
        changed = json_mutated(random, content[8 : 8 + length])
    return len(changed).to_bytes(8, "little") + changed + content[8 + length :]


def written(value: Any) -> str:
    """Returns a value as JSON, with `Raw` parts as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _changed(random: Random, value: Any) -> Any:
    """Returns a value in which one place is changed, at any depth."""
    if not isinstance(value, dict | list) or not value or random.random() < 0.1:
        return odd_values(random)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = random.choice(keys)
    roll = random.random()
    if roll < 0.08:
        del value[key]
    elif roll < 0.14 and isinstance(value, dict):
        value[str(odd_values(random))[:200]] = value.pop(key)
    elif roll < 0.2 and isinstance(value, list):
        value.append(copy.deepcopy(value[key]))
    else:
        value[key] = _changed(random, value[key])
    return value
