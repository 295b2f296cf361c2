"""The fuzzing corpus, replayed under AddressSanitizer and UndefinedBehaviorSanitizer, its inputs also cut short."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from csrc.fuzz import run as fuzz


def _sanitizing(folder: Path) -> str | None:
    """A compiler whose sanitizers work here."""
    source = folder / "probe.c"
    source.write_text("int main(void) { return 0; }\n", encoding="ascii")
    for compiler in ("gcc", "clang", "cc"):
        if shutil.which(compiler) is None:
            continue
        built = subprocess.run(
            [compiler, *fuzz.SANITIZERS, source, "-o", folder / "probe"], capture_output=True, check=False
        )
        if (
            built.returncode == 0
            and subprocess.run([folder / "probe"], capture_output=True, check=False).returncode == 0
        ):
            return compiler
    return None


@pytest.fixture(scope="session")
def replayer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    compiler = _sanitizing(folder)
    if compiler is None:
        pytest.skip("no compiler here links with -fsanitize=address,undefined")
    return fuzz.build(compiler, folder / "replay", ["-DREPLAY", *fuzz.SANITIZERS])


def _replay(program: Path, target: str, corpus: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, target, corpus],
        env={**os.environ, **fuzz.ENVIRONMENT},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.mark.parametrize("target", fuzz.targets())
def test_the_corpus_is_decoded_and_refused_as_ever_without_a_finding(replayer: Path, target: str) -> None:
    corpus = fuzz.CORPUS / f"{target}.bin"
    done = _replay(replayer, target, corpus)
    assert done.returncode == 0, done.stderr[-4000:]
    # Another digest: something is accepted, refused or decoded as it never was. `run.py --replay` takes that over.
    assert done.stdout.strip() == json.loads(fuzz.DIGESTS.read_text(encoding="ascii"))[target]


def test_the_corpus_is_small() -> None:
    assert sum(file.stat().st_size for file in fuzz.CORPUS.iterdir()) < 1 << 20


def test_a_corpus_that_is_cut_off_is_refused(replayer: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.bin"
    cut.write_bytes((fuzz.CORPUS / "rans.bin").read_bytes()[:-1])
    assert _replay(replayer, "rans", cut).returncode == 2
