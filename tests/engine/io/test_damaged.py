"""Damaged files of light and texels are read or refused with a message. `tests.heavy.damaged` tries many thousands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import memory
from engine.errors import EngineError
from engine.io import load
from tests.damaged.handmade import handmade
from tests.damaged.mutations import mutant
from tests.damaged.seeds import exr, seeds

MUTANTS = {"exr": 300, "radiance": 150, "dds": 150, "ktx2": 200, "tiff": 150, "png": 30, "jxl": 30}


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, "64M")


def is_refused(data: bytes) -> bool:
    """Whether a file was refused, in words; if not, its samples are finite and not too many."""
    try:
        image = load(data, Path("damaged")).image
    except EngineError as error:
        assert str(error).startswith("damaged: ") and len(str(error)) > 20
        return True
    assert image.pixels.nbytes <= 64 << 20
    assert not image.is_float or np.isfinite(image.pixels).all()
    return False


@pytest.mark.parametrize("kind", MUTANTS)
def test_mutants_are_read_or_refused(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    rng, files = np.random.default_rng(11), seeds()[kind]
    refused = sum(is_refused(mutant(files[n % len(files)], files, rng)) for n in range(MUTANTS[kind]))
    assert MUTANTS[kind] / 10 < refused
    assert capfd.readouterr() == ("", "")


def test_files_that_are_wrong_on_purpose_are_read_or_refused(capfd: pytest.CaptureFixture[str]) -> None:
    made = list(handmade().values())
    refused = sum(is_refused(data) for data in made[::5])
    assert refused > len(made) / 12
    assert capfd.readouterr() == ("", "")


_READ = """
import sys
from pathlib import Path
from engine.errors import CorruptStream
from engine.io import load
try:
    load(sys.stdin.buffer.read(), Path("damaged"))
except CorruptStream:
    sys.exit(7)
"""


def test_what_a_codec_of_openexr_prints_does_not_come_out_at_the_end() -> None:
    """What C prints to a pipe waits in a buffer, until the program ends if nobody flushes it."""
    data = exr("HTJ2K32")
    cut = data[:-100] + bytes(100)
    done = subprocess.run([sys.executable, "-c", _READ], input=cut, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, b"", b"")
