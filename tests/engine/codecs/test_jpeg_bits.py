"""What the blocks of a JPEG cost, checked against files whose costs are known otherwise."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from engine import registry
from engine.codec import Ctx, Mapped
from engine.native import jpeg


def file_of(pixels: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(pixels).save(out, "JPEG", **options)
    return out.getvalue()


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(2).integers(0, 256, shape, np.uint8)


def mapped(codec_id: str = "jpeg") -> Mapped:
    codec = registry.codec(codec_id)
    assert isinstance(codec, Mapped)
    return codec


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("restart", [0, 3])
def test_every_bit_of_a_file_is_accounted_for(progressive: bool, subsampling: str, restart: int) -> None:
    """Noise has bytes of 255, which take a stuffed zero; restarts are not at the end of a row of blocks."""
    options = {"progressive": progressive, "subsampling": subsampling, "restart_marker_blocks": restart}
    data = file_of(noise(61, 83), quality=90, **options)
    assert (b"\xff\xd0" in data) == bool(restart) and b"\xff\x00" in data
    found = mapped().bit_map(data, Ctx())
    assert found.bits.sum(dtype=np.float64) + 8 * found.apart_bytes == pytest.approx(8 * len(data), rel=1e-6)


def test_a_sequential_block_costs_what_its_codes_take() -> None:
    """One grey block of DC alone: a code for the size of the difference, its bits, a code for the end."""
    flat = file_of(np.full((8, 8), 200, np.uint8), quality=75)
    costs = jpeg.costs(flat, jpeg.probe(flat))
    # Difference 72 · 8 / 16 = 36 has 6 bits; its code in table K.3 is 1110, that of the end of block in K.5 is 1010.
    assert costs[0].tolist() == [[16.0]], "4 + 6 + 4 and two bits that fill the byte"


def test_blocks_of_an_end_of_band_run_pay_alike() -> None:
    data = file_of(np.full((64, 512), 192, np.uint8), quality=75, progressive=True)
    costs = jpeg.costs(data, jpeg.probe(data))[0].ravel()
    middle = costs[1:-1]  # the first has the difference of the DC, the last the bits that fill up
    assert np.ptp(middle) < 1e-5, "the code of a run is on no block alone"
    assert 2 < middle[0] < 2.5, "a bit for the difference, one that refines it, and a share in the runs"


def test_a_file_of_our_encoder_has_one_map_by_either_codec() -> None:
    pixels = noise(40, 72)
    pixels[:, :30] = 128
    data = file_of(pixels, quality=60)
    ours, theirs = mapped("dct").bit_map(data, Ctx()), mapped("jpeg").bit_map(data, Ctx())
    assert (ours.bits == theirs.bits).all() and ours.apart == theirs.apart


def test_tables_and_profiles_are_listed_apart() -> None:
    data = file_of(noise(16, 16), icc_profile=bytes(500), comment=b"by hand") + b"more"
    found = mapped().bit_map(data, Ctx())
    assert list(found.apart) == ["headers", "colour profile", "quantisation tables", "Huffman tables", "data behind it"]
    assert found.apart["colour profile"] == 500 + 18 and found.apart["data behind it"] == 4
    assert found.apart["quantisation tables"] == 2 * 69
