"""Benchmarks: both sides by turns, medians, ratios, and rows that say what they lack."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import bench
from engine.bench import Side, Work, clock, entropy, measure, peers, pictures
from engine.bench.work import RUNS
from engine.cli import main
from engine.native import entropy as native


def pretended(*seconds: float, log: list[str] | None = None, name: str = "") -> Callable[[], float]:
    """A stopwatch that says these, over and over."""
    calls: list[float] = []

    def run() -> float:
        if log is not None:
            log.append(name)
        calls.append(seconds[len(calls) % len(seconds)])
        return calls[-1]

    return run


def side(encode: float, decode: float | None = None) -> Side:
    return Side("who", "how", pretended(encode), None if decode is None else pretended(decode))


def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    log: list[str] = []
    watches = [pretended(99.0, *[1.0] * 200, log=log, name=name) for name in "abcd"]
    row = measure(Work("row", "", "s", Side("x", "", *watches[:2]), Side("y", "", *watches[2:])))
    assert row.runs >= RUNS
    assert log == list("abcd") * (row.runs + 1)
    assert (row.encode, row.peer_decode, row.spread) == (1.0, 1.0, 0.0)


def test_a_ratio_above_one_means_that_we_are_faster() -> None:
    timed = measure(Work("row", "", "ms", side(0.002, 0.008), side(0.004, 0.004)))
    assert (timed.encode, timed.peer_encode) == (pytest.approx(2.0), pytest.approx(4.0))
    assert (timed.ratio_encode, timed.ratio_decode) == (pytest.approx(2.0), pytest.approx(0.5))
    speed = measure(Work("row", "", "MB/s", side(0.002), side(0.004), amount=16.0))
    assert (speed.encode, speed.peer_encode, speed.ratio_encode) == (8000.0, 4000.0, pytest.approx(2.0))
    assert (speed.decode, speed.peer_decode, speed.ratio_decode) == (None, None, None)


def test_a_row_without_a_peer_says_what_to_install() -> None:
    row = measure(peers.with_peer(Work("row", "", "s", side(1.0)), peers.Missing("install it")))
    assert (row.peer, row.ratio_encode, row.note) == (None, None, "no peer here: install it")


def test_the_collector_rests_while_times_are_taken() -> None:
    seen: list[bool] = []
    measure(Work("row", "", "s", Side("x", "", clock(lambda: seen.append(gc.isenabled())))))
    assert gc.isenabled()
    assert seen[0] and not any(seen[1:])


def test_the_coders_are_timed_at_work_that_they_can_undo(monkeypatch: pytest.MonkeyPatch) -> None:
    values, index, deviations = entropy.gaussian_symbols(3000)
    tables = entropy.gaussian_tables()
    stream = native.ranx_encode(values, index, tables)
    assert np.array_equal(native.ranx_decode(stream, index, tables), values)
    share = np.log2(deviations.clip(0.3) * np.sqrt(2 * np.pi * np.e)).mean()
    assert 8 * len(stream) / values.size == pytest.approx(share, rel=0.1), "close to the entropy of its Gaussians"
    assert 8 * len(native.rans_encode(entropy.skewed_bytes(100_000))) / 100_000 == pytest.approx(2.4, abs=0.2)
    monkeypatch.setattr(entropy, "BYTES", 20_000)
    monkeypatch.setattr(entropy, "SYMBOLS", 2000)
    works = list(entropy.works())
    assert [work.name for work in works] == ["rans-order0-u8", "huffman-u8", "rans-indexed"]
    assert all((work.peer is None) == bool(work.missing) for work in works)
    assert works[1].ours.decode is not None and works[1].ours.decode() > 0


def test_the_pictures_have_the_sizes_that_rows_claim() -> None:
    small = pictures.photograph()
    assert (small.width, small.height, small.channels) == (768, 512, 3)
    assert pictures.LARGE[0] * pictures.LARGE[1] == 24_000_000


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def works() -> list[Work]:
        alone = peers.with_peer(Work("fast-alone", "works alone", "s", side(0.5)), peers.Missing("install it"))
        return [Work("fast", "does a thing", "ms", side(0.001, 0.004), side(0.002, 0.002)), alone]

    monkeypatch.setattr(bench, "_SUITES", {"quick": lambda: iter(works())})


def test_the_command_prints_rows_and_where_they_were_measured(
    quick: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "benchmarks.md"
    assert main(["bench", "quick", "--json", "--markdown", str(page)]) == 0
    document = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in document["rows"]}
    assert rows["fast"]["ratio_encode"] == pytest.approx(2.0)
    assert rows["fast"]["ratio_decode"] == pytest.approx(0.5)
    assert rows["fast-alone"]["peer"] is None
    assert document["environment"]["threads"] == 1
    text = page.read_text(encoding="utf-8")
    assert "| `fast` | ms | 1 | 4 | who | 2 | 2 | 2.00× | 0.50× |" in text
    assert "no peer here: install it" in text
    assert f"    ratescope bench quick --markdown {page}" in text


def test_the_command_takes_some_rows_and_refuses_what_it_does_not_know(
    quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--rows", "fast-a"]) == 0
    out = capsys.readouterr().out
    assert "fast-alone" in out and "who" not in out
    assert main(["bench", "--rows", "slow"]) == 2
    assert main(["bench", "sideways"]) == 2
    assert "unknown suite 'sideways'; known are quick" in capsys.readouterr().err
