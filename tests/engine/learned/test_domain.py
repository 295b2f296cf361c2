"""The warning of pictures that are unlike what a model was trained on: photographs get none, drawings and noise do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from engine import io, registry
from engine.cli import main
from engine.codec import WARNING, Ctx
from engine.codecs.hyperprior import HyperpriorCodec
from engine.image import Image
from engine.learned import stored
from engine.learned.card import card_path, load_card
from engine.learned.domain import LEAST_POSITIONS, Ranges, groups, latent_numbers
from engine.learned.zoo import bundled_folder
from engine.samples import samples
from engine.tasks import SolveTask
from engine.workers import TaskCtx
from tests.pictures import photo_like
from tests.tiny_model import picture, tiny_weights

SHIPPED = bundled_folder() / "hyperprior.safetensors"
HEIGHT, WIDTH = 192, 256


@pytest.fixture(autouse=True)
def _only_what_is_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RATESCOPE_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def drawn(ground: str, draw: Any) -> np.ndarray:
    page = Pillow.new("RGB", (WIDTH, HEIGHT), ground)
    draw(ImageDraw.Draw(page))
    return np.asarray(page)


def text(pen: ImageDraw.ImageDraw, ink: str = "black") -> None:
    words = "rate distortion of a codec that was never shown a page of text like this " * 2
    for line in range(12):
        pen.text((4, 4 + 15 * line), words[3 * line :], fill=ink, font=ImageFont.load_default(size=13))


def bright_text(pen: ImageDraw.ImageDraw) -> None:
    text(pen, "#e0e0e0")


def lines(pen: ImageDraw.ImageDraw) -> None:
    for place in range(0, 500, 23):
        pen.line((0, place, WIDTH, place - 190), fill="black", width=2)
        pen.ellipse((place // 2, 40, place // 2 + 90, 130), outline="black", width=2)


def shapes(pen: ImageDraw.ImageDraw) -> None:
    for place, colour in enumerate(("red", "navy", "orange", "green")):
        pen.ellipse((50 * place, 20 * place, 50 * place + 90, 20 * place + 90), fill=colour, outline="black")


def noise(seed: int, deviation: float) -> np.ndarray:
    values = np.random.default_rng(seed).normal(128, deviation, (HEIGHT, WIDTH, 3))
    return values.clip(0, 255).astype(np.uint8)


def unlike(pixels: np.ndarray) -> str:
    return Ranges.from_card(load_card(SHIPPED)).unlike(HyperpriorCodec().latent_numbers(Image(pixels), Ctx()))


@pytest.mark.parametrize("name", ["coffee", "astronaut", "chelsea", "rocket"])
def test_photographs_are_what_the_shipped_model_knows(name: str) -> None:
    path = next(each.path for each in samples() if each.name == name)
    assert unlike(np.ascontiguousarray(io.read(path).image.pixels)) == ""


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (drawn("white", text), "fine detail"),
        (drawn("#202226", bright_text), "fine detail"),
        (drawn("white", lines), "contrast"),
        (drawn("#d0e0f0", shapes), "without any grain"),
        (noise(1, 8), "as noise has"),
        (noise(2, 40), "as noise has"),
        (np.full((HEIGHT, WIDTH, 3), 200, np.uint8), "without any grain"),
    ],
    ids=["text", "text on dark", "lines", "shapes", "faint noise", "noise", "nothing"],
)
def test_what_is_no_photograph_is_told_from_them(pixels: np.ndarray, words: str) -> None:
    assert words in unlike(pixels)


def test_the_warning_is_said_with_the_trial_and_changes_no_byte() -> None:
    codec = registry.codec("hyperprior")
    page = Image(drawn("white", text))
    encoded = codec.encode(page, {}, Ctx())
    assert str(encoded.stats[WARNING]).startswith("unlike what this model was trained on: far more ")
    solved = SolveTask(page, "hyperprior", {}).run(TaskCtx())
    assert solved.notes == (encoded.stats[WARNING],) == solved.result.best.warnings
    assert solved.data == encoded.data
    cat = Image(np.ascontiguousarray(io.read(samples()[2].path).image.pixels[:128, :128]))
    assert WARNING not in codec.encode(cat, {}, Ctx()).stats


# --- ranges


def test_a_number_beyond_its_range_and_a_margin_is_said_the_farthest_first() -> None:
    ranges = Ranges({"detail 2": (-1.0, 1.0), "empty": (0.0, 0.0), "spread": (0.5, 2.0), "of later": (0.0, 0.0)})
    inside = {"detail 2": 1.2, "empty": 0.02, "spread": 0.5, "of later": 9.0}
    assert ranges.unlike(inside) == ""
    assert ranges.unlike({}) == ""
    said = ranges.unlike({**inside, "detail 2": 1.4, "empty": 0.5})
    assert said.startswith("areas without any grain") and said.endswith("and far more fine detail")
    assert ranges.unlike({**inside, "detail 2": -2.0}) == "far less fine detail"


def test_ranges_leave_out_the_strangest_and_pass_through_a_card() -> None:
    ranges = Ranges.of([{"spread": value / 1000} for value in range(1001)] + [{}])
    assert ranges.bounds["spread"] == pytest.approx((0.002, 0.998))
    assert Ranges.from_card({"ranges": {"numbers": ranges.to_json()}}) == ranges


@pytest.mark.parametrize(
    "part",
    [None, [], {}, {"numbers": 3}, {"numbers": {"spread": [1]}}, {"numbers": {"spread": [2, 1]}},
     {"numbers": {"spread": ["a", "b"]}}, {"numbers": {"spread": [float("nan"), 1]}}],
)  # fmt: skip
def test_a_card_whose_ranges_make_no_sense_warns_of_nothing(part: Any) -> None:
    assert Ranges.from_card({"ranges": part}).bounds == {}


def test_a_picture_that_is_too_small_or_ends_within_a_block_is_not_judged_by_what_continues_it() -> None:
    deviation = np.ones(8, np.float32)
    few = np.zeros((LEAST_POSITIONS - 1, 1, 8), np.float32)
    assert latent_numbers(few, deviation, (2, 6), 100.0) == {}
    codec, pixels = HyperpriorCodec(), photo_like(130, 200)
    numbers = [codec.latent_numbers(Image(np.ascontiguousarray(each)), Ctx()) for each in (pixels, pixels[:128, :192])]
    assert numbers[0]["empty"] == numbers[1]["empty"] == 0
    assert numbers[0] == pytest.approx(numbers[1], abs=0.2)


# --- the command


def test_ranges_are_taken_over_a_folder_and_compared_with_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tiny_weights(tmp_path)
    card_of = json.loads(card_path(weights).read_text())
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(20):
        io.write_png(folder / f"{seed}.png", Image(picture(seed, 128)))
    (folder / "broken.png").write_bytes(b"nothing")
    command = ["models", "ranges", str(weights), "--data", str(folder), "--json"]
    assert main([*command, "--check"]) == 1
    assert "holds no ranges" in capsys.readouterr().err
    assert main(command) == 0
    taken = json.loads(capsys.readouterr().out)
    card = load_card(weights)
    assert card == {**card_of, "ranges": {name: taken[name] for name in ("folder", "pictures", "numbers")}}
    assert (taken["folder"], taken["pictures"]) == ("pictures", 20)
    assert main([*command, "--check"]) == 0
    assert json.loads(capsys.readouterr().out)["unlike"] == {}
    other = tmp_path / "other"
    other.mkdir()
    io.write_png(other / "page.png", Image(drawn("#202226", bright_text)))
    assert main(["models", "ranges", str(weights), "--data", str(other), "--check", "--json"]) == 0
    assert "page.png" in json.loads(capsys.readouterr().out)["unlike"]
    assert main(["models", "ranges", str(weights), "--data", str(other)]) == 1
    assert "20 pictures at least" in capsys.readouterr().err


def test_weights_without_ranges_warn_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = tmp_path / SHIPPED.name
    shutil.copy(SHIPPED, copied)
    card = {name: part for name, part in load_card(SHIPPED).items() if name != "ranges"}
    card_path(copied).write_text(json.dumps(card))
    with stored.encoding_with(copied):
        assert WARNING not in registry.codec("hyperprior").encode(Image(drawn("white", text)), {}, Ctx()).stats


@pytest.mark.parametrize(("channels", "sizes"), [(288, [16, 40, 72, 160]), (24, [16, 8]), (16, [16]), (3, [3])])
def test_groups_of_coefficients_are_the_same_whatever_a_model_codes_together(channels: int, sizes: list[int]) -> None:
    assert groups(channels) == sizes
