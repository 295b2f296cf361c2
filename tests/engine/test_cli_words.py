"""What commands print: numbers, tables, settings, notes and refusals, word by word."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from synthetic_codec import QUALITY, STEP, TOOL, SyntheticCodec

from engine.cli import rd, span
from engine.cli.bdrate import _range, _signed, _unused
from engine.cli.codecs import setting_line
from engine.cli.console import Answer, Console, markdown, table
from engine.cli.encode import chosen_settings
from engine.cli.measure import metric_list, number
from engine.cli.pictures import refuse_same, require_suffix
from engine.codec import CodecInfo, Kind, Param, Role
from engine.errors import EngineError, UsageError
from engine.trial import Target, TargetKind


@pytest.mark.parametrize(
    ("metric_id", "value", "text"),
    [
        ("psnr", 34.5149, "34.51 dB"),
        ("ssim", 0.98743, "0.9874"),
        ("ms_ssim", 0.987654, "0.98765"),
        ("ms_ssim_db", 19.087, "19.09 dB"),
    ],
)
def test_a_score_is_written_as_its_metric_is_read(metric_id: str, value: float, text: str) -> None:
    assert number(metric_id, value) == text


@pytest.mark.parametrize(
    ("seconds", "busy", "text"),
    [
        (None, False, ""),
        (0.0504, False, "50 ms"),
        (0.9994, True, "~999 ms"),
        (1.0, False, "1.00 s"),
        (12.345, True, "~12.35 s"),
    ],
)
def test_a_time_is_in_milliseconds_below_one_second(seconds: float | None, busy: bool, text: str) -> None:
    assert rd._seconds(seconds, busy) == text


@pytest.mark.parametrize(("value", "digits", "text"), [(-20.04, 1, "−20.0"), (1.005, 1, "+1.0"), (0.0, 2, "+0.00")])
def test_a_difference_has_its_sign(value: float, digits: int, text: str) -> None:
    assert _signed(value, digits) == text


def test_tables_are_aligned() -> None:
    rows = [("name", "bytes"), ("a", "5"), ("longer", "12345")]
    assert table(rows, right=(1,)) == "name    bytes\na           5\nlonger  12345"
    assert table([("a", "b"), ("ccc", "")]) == "a    b\nccc"
    assert markdown(rows, right=(1,)).splitlines() == [
        "| name | bytes |",
        "| --- | ---: |",
        "| a | 5 |",
        "| longer | 12345 |",
    ]


@pytest.mark.parametrize(
    ("param", "text"),
    [
        (QUALITY, "a whole number from 1 to 100; default 50; sets the rate, more is larger"),
        (STEP, "a number from 0.5 to 128; default 8.0; sets the rate, more is smaller"),
        (TOOL, "true or false; default False"),
        (Param("m", Kind.INT, 4, 0, 6, role=Role.EFFORT, help="Slow."), "a whole number from 0 to 6; default 4. Slow."),
    ],
)
def test_a_setting_is_one_line(param: Param, text: str) -> None:
    assert setting_line(param) == text


# --- Arguments


@pytest.mark.parametrize(("text", "rates"), [("0.5,0.25,0.5", [0.25, 0.5]), ("2", [2.0]), ("1e-3, 4", [0.001, 4.0])])
def test_rates_are_sorted_and_each_is_met_once(text: str, rates: list[float]) -> None:
    assert rd._targets(text) == tuple(Target(TargetKind.BPP, rate) for rate in rates)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.1,x", "--bpp 0.1,x: write rates such as 0.1,0.2,0.5"),
        ("0.1,", "--bpp 0.1,: write rates such as 0.1,0.2,0.5"),
        ("0", "--bpp 0: rates are above 0"),
        ("0.1,-1", "--bpp 0.1,-1: rates are above 0"),
        ("inf", "--bpp inf: rates are above 0"),
        ("nan", "--bpp nan: rates are above 0"),
    ],
)
def test_rates_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        rd._targets(text)
    assert refused.value.message == message


@pytest.mark.parametrize(("text", "span_"), [(None, None), ("28,40", (28.0, 40.0)), ("-1.5,0", (-1.5, 0.0))])
def test_a_range_is_two_rising_numbers(text: str | None, span_: tuple[float, float] | None) -> None:
    assert _range(text) == span_


@pytest.mark.parametrize("text", ["28", "28,30,40", "a,b", "40,28", "28,28", "nan,1"])
def test_other_ranges_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"--range {text}: "):
        _range(text)


def test_curves_of_one_name_are_numbered() -> None:
    taken: dict[str, Any] = {}
    for _ in range(3):
        taken[_unused("jpeg", taken)] = None
    taken[_unused("jpeg2", taken)] = None
    assert list(taken) == ["jpeg", "jpeg #2", "jpeg #3", "jpeg2"]


def test_metrics_are_listed_without_blanks() -> None:
    assert metric_list(" psnr, ssim,,") == ["psnr", "ssim"]
    with pytest.raises(UsageError, match="--metrics names no metric"):
        metric_list(" , ")


INFO = CodecInfo("x", "X", "dct", ".x", (QUALITY, TOOL))


def test_settings_are_checked_and_the_quality_is_the_knob() -> None:
    assert chosen_settings(INFO, ["tool=yes", "quality=7"], "33") == {"tool": True, "quality": 33}
    assert chosen_settings(INFO, [], None) == {}
    with pytest.raises(UsageError, match="--set tool: write NAME=VALUE"):
        chosen_settings(INFO, ["tool"], None)
    with pytest.raises(UsageError, match="x has no quality to set: it codes at one rate"):
        chosen_settings(CodecInfo("x", "X", "dct", ".x", (TOOL,)), [], "5")


def test_settings_go_to_the_codec_that_they_name() -> None:
    chosen = rd.codec_settings(" jpeg, webp,", ["webp:method=6", "webp:lossless=yes"])
    assert chosen == {"jpeg": {}, "webp": {"method": 6, "lossless": True}}
    for pair in ("method=6", "png:method=6", ":a=b"):
        with pytest.raises(UsageError, match="write CODEC:NAME=VALUE, for one of jpeg, webp"):
            rd.codec_settings("jpeg,webp", [pair])
    with pytest.raises(UsageError, match="--codecs names no codec"):
        rd.codec_settings(" , ", [])


def test_pictures_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("a/x.png", "a/b/x.PNG", "a/b/note.txt", "a/y.jpg", "c/x.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "a" / "folder.png").mkdir()
    assert list(rd.find_pictures([tmp_path / "a"])) == ["b/x.PNG", "x.png", "y.jpg"]
    both = rd.find_pictures([tmp_path / "a" / "x.png", tmp_path / "c" / "x.png"])
    assert both == {"x.png": tmp_path / "a" / "x.png", str(tmp_path / "c" / "x.png"): tmp_path / "c" / "x.png"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="holds no picture"):
        rd.find_pictures([tmp_path / "empty"])


@pytest.mark.parametrize(
    ("name", "suffixes", "message"),
    [
        ("a.png", (".png",), None),
        ("a.PNG", (".png",), None),
        ("a.jpg", (".png",), "a map is written as PNG; let the name end in .png"),
        ("a", (".png", ".svg"), "a map is written as PNG or SVG; let the name end in .png or .svg"),
    ],
)
def test_the_end_of_a_name_says_what_is_written(name: str, suffixes: tuple[str, ...], message: str | None) -> None:
    if message is None:
        require_suffix(Path(name), suffixes, "a map")
    else:
        with pytest.raises(UsageError) as refused:
            require_suffix(Path(name), suffixes, "a map")
        assert refused.value.message == message


def test_a_file_may_be_written_beside_its_source_and_not_onto_it(tmp_path: Path) -> None:
    source, other = tmp_path / "a", tmp_path / "b"
    source.touch()
    refuse_same(source, other)
    other.touch()
    refuse_same(source, other)
    other.unlink()
    other.hardlink_to(source)
    with pytest.raises(UsageError, match="would be written onto an input; name another file"):
        refuse_same(source, other)


# --- The console


def test_an_answer_is_json_or_words(capsys: pytest.CaptureFixture[str]) -> None:
    answer = Answer({"a": 1}, "words\n\n")
    Console().answer(answer)
    Console(as_json=True).answer(answer)
    assert capsys.readouterr().out == 'words\n{\n "a": 1\n}\n'
    assert answer.code == 0


def test_notes_and_errors_are_one_line_on_the_other_stream(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.note("two\n lines")
    console.error("more\tthan  one")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "note: two lines\nratescope: more than one\n")


@pytest.mark.parametrize(
    ("terminal", "pause", "shown"), [(True, 0.09, False), (True, 0.11, True), (False, 4.9, False), (False, 5.1, True)]
)
def test_progress_is_told_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool, pause: float, shown: bool
) -> None:
    now = [100.0]
    monkeypatch.setattr("engine.cli.console.time.monotonic", lambda: now[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    console = Console()
    now[0] += pause
    console.progress("half")
    console.progress("at once")
    console.note("done")
    line = "\r\x1b[Khalf\r\x1b[K" if terminal else "half\n"
    assert capsys.readouterr().err == (line if shown else "") + "note: done\n"


def test_progress_is_in_whole_percent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console()
    console._last -= 10
    rd._progress(console)(0.125, "a.png")
    assert capsys.readouterr().err == "12 %, a.png\n"


# --- Where a curve is measured


def test_settings_lie_evenly_between_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine import registry
    from engine.trial import EncodeKey, RateResult, Trial, canonical

    monkeypatch.setattr(registry, "codec", lambda _codec_id: SyntheticCodec())

    def end(quality: int) -> RateResult:
        return RateResult(Trial(EncodeKey("p", "c", "1", canonical({"quality": quality})), 1, 1.0), (), True, 1)

    assert span._values("synthetic", (end(10), end(90)), 5) == (10, 30, 50, 70, 90)
    assert span._values("synthetic", (end(10), end(90)), 1) == (10,)
    assert span._values("synthetic", (end(10), end(90)), 2) == (10, 90)
    assert span._values("synthetic", (end(10), end(11)), 5) == 5
    assert span._values("synthetic", (end(10), end(12)), 2) == (10, 12)
    assert span._values("synthetic", (end(10),), 5) == 5
    assert (span.ENDS[0].value, span.ENDS[1].value) == (0.1, 2.0)
