"""The bundled pictures are there, readable, small and accounted for."""

from __future__ import annotations

import numpy as np
import pytest
from rings import rings

from engine.io import read
from engine.samples import Sample, samples


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_sample_is_readable_and_cited(sample: Sample):
    image = read(sample.path).image
    assert 300 <= max(image.width, image.height) <= 768
    sources = (sample.path.parent / "SOURCES.md").read_text(encoding="utf-8")
    assert f"`{sample.path.name}`" in sources and f"{image.width} × {image.height}" in sources


def test_no_picture_lies_among_the_samples_unlisted():
    folder = samples()[0].path.parent
    pictures = {path.name for path in folder.iterdir() if path.suffix not in (".md", ".glb")}
    assert pictures == {sample.path.name for sample in samples()}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000


def test_the_rings_are_what_their_program_makes():
    stored, made = read(next(s.path for s in samples() if s.name == "rings")).image, rings()
    assert (stored.color, stored.alpha, stored.bits) == (made.color, made.alpha, made.bits)
    assert np.abs(stored.pixels.astype(int) - made.pixels).max() <= 1
