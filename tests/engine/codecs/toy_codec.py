"""A program for the tests of command codecs: packs a PGM or PPM file with zlib after dropping low bits.

toy_codec.py encode IN OUT BITS | decode IN OUT, and some ways to go wrong.
"""

from __future__ import annotations

import subprocess
import sys
import time
import zlib
from pathlib import Path

MAGIC = b"TOY1"


def encode(source: str, target: str, bits: str) -> None:
    data = Path(source).read_bytes()
    head = b"\n".join(data.split(b"\n")[:3]) + b"\n"
    mask = 0xFF << int(bits) & 0xFF
    Path(target).write_bytes(MAGIC + zlib.compress(head + bytes(b & mask for b in data[len(head) :])))


def decode(source: str, target: str) -> None:
    data = Path(source).read_bytes()
    if not data.startswith(MAGIC):
        sys.exit("warning: be careful\nthis is not a TOY1 file")
    Path(target).write_bytes(zlib.decompress(data[4:]))


def hang(_source: str, _target: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(__file__).with_name("child.pid").write_text(str(child.pid))
    time.sleep(600)


def flood(_source: str, target: str) -> None:
    with Path(target).open("wb") as file:
        while True:
            file.write(bytes(1 << 22))


def leave(_source: str, _target: str) -> None:
    pass


def show(_source: str, target: str, *words: str) -> None:
    Path(target).write_text("\n".join(words))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
