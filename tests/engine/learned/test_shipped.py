"""The weights that come with the program, and streams that were written with them: those are decoded for ever."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from engine import io, registry
from engine.codec import Ctx
from engine.image import Image
from engine.learned import stored
from engine.learned.recipe import ZOO
from engine.rate import solve_rate
from engine.samples import samples
from engine.trial import Target, TargetKind
from tests.engine.counting import Counted

GOLDEN = Path(__file__).parents[2] / "golden"
FOLDER = GOLDEN / "hyperprior"
DIGESTS = {
    (codec, name): details
    for codec in ("hyperprior", *ZOO)
    if (GOLDEN / codec).is_dir()
    for name, details in json.loads((GOLDEN / codec / "digests.json").read_text(encoding="utf-8")).items()
}
LIGHT_FOLDER = FOLDER.with_name("lightmap-ae")
LIGHT_DIGESTS = json.loads((LIGHT_FOLDER / "digests.json").read_text(encoding="utf-8"))
FLOOR = 2.0**-10  # of light, where stops are told


@pytest.fixture(autouse=True)
def _only_what_is_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RATESCOPE_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


@pytest.mark.parametrize(("codec_id", "name"), sorted(DIGESTS))
def test_a_stream_of_shipped_weights_has_the_symbols_and_the_picture_it_always_had(codec_id: str, name: str) -> None:
    codec = registry.codec(codec_id)
    data = (GOLDEN / codec_id / f"{name}.rsl").read_bytes()
    assert codec.details(data, Ctx()) == DIGESTS[codec_id, name]
    decoded = codec.decode(data, Ctx()).pixels.astype(int)
    with Pillow.open(GOLDEN / codec_id / f"{name}.png") as picture:
        expected = np.asarray(picture).reshape(decoded.shape).astype(int)
    assert np.abs(decoded - expected).max() <= 1  # the last bits of the decoder's floats are each machine's own


def test_every_codec_with_weights_has_streams_that_stay() -> None:
    shipped = {codec for codec in ("hyperprior", *ZOO) if stored.preferred(codec) is not None}
    assert {codec for codec, _ in DIGESTS} == shipped


def test_the_shipped_weights_are_those_of_their_card_with_a_list_of_pictures() -> None:
    weights = stored.preferred("hyperprior")
    assert weights is not None
    stored.read(weights.path)  # checks the digest and the bounds of the integers
    card = json.loads(weights.path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["digest"].startswith(weights.name)
    pictures = (weights.path.parent / card["attribution"]).read_text(encoding="utf-8")
    assert pictures.count("\n  ") == 327
    assert card["measured"]["pictures"]["bd_rate"]["jpeg"]["bd_rate"] < -60


def test_the_shipped_weights_beat_jpeg_on_a_bundled_photograph() -> None:
    picture = io.read(next(s.path for s in samples() if s.path.stem == "chelsea")).image
    codec, jpeg = registry.codec("hyperprior"), registry.codec("jpeg")
    ours = codec.encode(picture, {"quality": 65.0}, Ctx())
    theirs = jpeg.encode(picture, {"quality": 40}, Ctx())
    error = [
        np.square(c.decode(e.data, Ctx()).pixels.astype(float) - picture.pixels).mean()
        for c, e in ((codec, ours), (jpeg, theirs))
    ]
    assert len(ours.data) < 0.8 * len(theirs.data) and error[0] < error[1]


def photographs() -> list[Image]:
    return [io.read(s.path).image for s in samples() if s.path.stem in ("coffee", "astronaut")]


def test_a_forecast_tells_what_other_rates_take() -> None:
    codec, ctx = registry.codec("hyperprior"), Ctx()
    picture = photographs()[0]
    encoded = codec.encode(picture, {"quality": 50.0}, ctx)
    assert encoded.forecast is not None
    assert encoded.forecast.size(50.0, ctx) == pytest.approx(len(encoded.data), rel=0.001)
    for quality, off in ((45.0, 0.01), (55.0, 0.01), (30.0, 0.03), (70.0, 0.03)):
        size = len(codec.encode(picture, {"quality": quality}, ctx).data)
        assert encoded.forecast.size(quality, ctx) == pytest.approx(size, rel=off)


def test_coefficients_alone_tell_roughly_what_rates_take() -> None:
    codec, ctx = registry.codec("hyperprior"), Ctx()
    for picture in photographs():
        prepared = codec.prepare(picture, {}, ctx)
        for quality in (20.0, 60.0, 90.0):
            assert prepared.outlook.size(quality, ctx) == pytest.approx(len(prepared.encode(quality).data), rel=0.12)


def test_a_rate_takes_one_analysis_and_two_tries_as_a_rule() -> None:
    tries = []
    for picture in photographs():
        for bpp in (0.3, 0.5):
            codec = Counted(registry.codec("hyperprior"))
            result = solve_rate(codec, picture, Target(TargetKind.BPP, bpp), Ctx())
            assert result.reached
            assert 0.995 * bpp <= result.best.bpp <= bpp
            assert (codec.transforms, codec.encodes, result.encodes) == (1, 0, 1)
            tries.append(codec.tries)
    assert max(tries) <= 3
    assert tries.count(3) <= len(tries) // 2


@pytest.mark.parametrize("name", sorted(LIGHT_DIGESTS))
def test_a_stream_of_light_has_the_symbols_and_the_light_it_always_had(name: str) -> None:
    codec = registry.codec("lightmap-ae")
    data = (LIGHT_FOLDER / f"{name}.rsl").read_bytes()
    assert codec.details(data, Ctx()) == LIGHT_DIGESTS[name]
    decoded = codec.decode(data, Ctx()).pixels
    expected = np.load(LIGHT_FOLDER / f"{name}.npy", allow_pickle=False).astype(np.float32)
    stops = np.log2(decoded + FLOOR) - np.log2(expected + FLOOR)
    assert np.abs(stops).max() < 1 / 256  # half floats, and the last bits of the decoder's floats
