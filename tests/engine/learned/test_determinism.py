"""One stream, decoded by fresh processes that compute in every way they can: the same symbols, the same pixels but one
level."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_model import picture, tiny_weights

from engine import native, registry
from engine.cli import main
from engine.codec import Ctx
from engine.image import Image
from engine.learned import stored

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
import numpy as np
from engine import native, registry
from engine.codec import Ctx
file, out, mask, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
native.use_processor(mask)
data = open(file, "rb").read()
codec = registry.codec("hyperprior")
print(codec.details(data, Ctx(threads=threads))["symbols"])
assert "torch" not in sys.modules, "symbols need no framework"
np.save(out, codec.decode(data, Ctx(threads=threads)).pixels)
"""
WAYS = [
    ({}, -1, 1),
    ({"ATEN_CPU_CAPABILITY": "default"}, 0, 3),
    ({"ATEN_CPU_CAPABILITY": "avx2"}, 1, 1),
    ({"ONEDNN_MAX_CPU_ISA": "SSE41"}, 2, 3),
]


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tiny_weights(tmp_path)
    monkeypatch.setenv(stored.VARIABLE, str(path))
    return path


@pytest.fixture
def file(weights: Path) -> Path:
    path = weights.with_name("picture.rsl")
    path.write_bytes(registry.codec("hyperprior").encode(Image(picture(1, 200)), {"quality": 80}, Ctx()).data)
    return path


def test_every_way_of_computing_decodes_the_same_symbols(file: Path) -> None:
    data = file.read_bytes()
    codec = registry.codec("hyperprior")
    here = codec.decode(data, Ctx()).pixels.astype(int)
    symbols = codec.details(data, Ctx())["symbols"]  # type: ignore[attr-defined]
    for number, (environment, mask, threads) in enumerate(WAYS):
        out = file.with_name(f"{number}.npy")
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(file), str(out), str(mask & native.processor()), str(threads)],
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.strip() == symbols
        assert np.abs(np.load(out).astype(int) - here).max() <= 1


def test_info_names_weights_rate_and_symbols(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [part["name"] for part in answer["sections"]] == ["header", "hyperprior", "checksum"]
    assert answer["weights"] in registry.codec("hyperprior").version()
    assert answer["rate"] == round(0.8 * 512) / 256
    assert main(["info", str(file)]) == 0
    assert answer["symbols"] in capsys.readouterr().out
