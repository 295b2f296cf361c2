"""Numbers as other programs read them."""

from __future__ import annotations

import csv
import io
import json
import math

from engine.export import csv_text, curve_rows, json_text, trial_rows
from engine.trial import EncodeKey, Trial, canonical


def trial(bpp: float, psnr: float) -> Trial:
    key = EncodeKey("digest", "jpeg", "1", canonical({"quality": 5, "chroma": "4:2:0"}))
    return Trial(key, 100, bpp, scores={"psnr": psnr}, encode_s=0.5)


def test_json_holds_null_where_a_score_is_infinite() -> None:
    text = json_text({"psnr": math.inf, "nested": [{"x": math.nan}], "text": "Bjøntegaard"})
    assert json.loads(text, parse_constant=lambda word: 1 / 0) == {
        "psnr": None,
        "nested": [{"x": None}],
        "text": "Bjøntegaard",
    }
    assert text.endswith("}\n")


def test_csv_reads_back_with_one_column_for_every_name() -> None:
    text = csv_text([{"image": 'a "b", c', "bpp": 0.1}, {"image": "line\nbreak", "psnr": None}])
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == [
        {"image": 'a "b", c', "bpp": "0.1", "psnr": ""},
        {"image": "line\nbreak", "bpp": "", "psnr": ""},
    ]


def test_trials_become_rows_by_rising_rate() -> None:
    rows = trial_rows("a.png", "jpeg", [trial(0.9, 33.0), trial(0.2, 28.0)])
    assert [row["bpp"] for row in rows] == [0.2, 0.9]
    (first, _) = csv.DictReader(io.StringIO(csv_text(rows), newline=""))
    assert first == {
        "image": "a.png",
        "codec": "jpeg",
        "bytes": "100",
        "bpp": "0.2",
        "psnr": "28.0",
        "encode_s": "0.5",
        "decode_s": "",
        "settings": '{"chroma":"4:2:0","quality":5}',
    }


def test_curves_become_rows_for_each_picture_and_then_the_means() -> None:
    codecs = {"jpeg": {"points": [{"bpp": 0.5}], "images": {"a": [{"bpp": 0.4}], "b": [{"bpp": 0.6}]}}}
    assert curve_rows(codecs) == [
        {"image": "a", "codec": "jpeg", "bpp": 0.4},
        {"image": "b", "codec": "jpeg", "bpp": 0.6},
        {"image": "mean", "codec": "jpeg", "bpp": 0.5},
    ]


def test_json_is_indented_by_one_and_keeps_what_has_a_value() -> None:
    assert json_text({1: (0.5, True, None, "é")}) == '{\n "1": [\n  0.5,\n  true,\n  null,\n  "é"\n ]\n}\n'
    assert json_text({"x": -math.inf, "y": math.nan, "z": 3}) == '{\n "x": null,\n "y": null,\n "z": 3\n}\n'


def test_csv_has_its_columns_in_order_and_ends_its_lines_as_the_standard_says() -> None:
    assert csv_text([{"b": 1}, {"a": {"y": 2, "x": [1]}, "b": None}]) == 'b,a\r\n1,\r\n,"{""x"":[1],""y"":2}"\r\n'


def test_a_codec_without_pictures_has_its_means_alone() -> None:
    codecs = {"b": {"points": [{"bpp": 1.0}]}, "a": {"points": [{"bpp": 2.0}], "images": {"p": [{"bpp": 3.0}]}}}
    assert [(row["image"], row["codec"], row["bpp"]) for row in curve_rows(codecs)] == [
        ("p", "a", 3.0),
        ("mean", "b", 1.0),
        ("mean", "a", 2.0),
    ]
