"""The filters' arithmetic: what C computes is what they are learned by, and classes do not depend on brightness."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from engine.codecs import light_filters
from engine.codecs.light_filters import CLASSES, DIRECTIONS, RESTLESS, STEPS, Scale
from engine.errors import EngineError
from engine.learned.light_filters import features
from engine.native.light import WEIGHTS, correction


def plane(height: int = 37, width: int = 53, seed: int = 1) -> np.ndarray:
    """Whole numbers: sums of them are exact."""
    values = np.random.default_rng(seed).integers(-40, 41, (height, width)).cumsum(0).cumsum(1)
    return values.astype(np.float32)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 1), (2, 2), (37, 53)])
def test_corrections_are_the_weighted_features(size: tuple[int, int]) -> None:
    values, rng = plane(*size), np.random.default_rng(2)
    classes = rng.integers(0, 7, size).astype(np.uint8)
    weights = rng.normal(0, 1, (7, WEIGHTS)).astype(np.float32)
    expected = np.einsum("fyx,yxf->yx", features(values), weights[classes])
    assert np.allclose(correction(values, classes, weights, 1.0, 4.0), expected, rtol=1e-5, atol=1e-4)


def test_a_class_without_weights_is_refused() -> None:
    with pytest.raises(EngineError):
        correction(plane(), np.full((37, 53), 7, np.uint8), np.zeros((7, WEIGHTS), np.float32), 1.0, 4.0)


def test_a_plane_without_features_is_not_changed() -> None:
    ramp = np.arange(600, dtype=np.float32).reshape(20, 30)
    found = correction(ramp, np.zeros((20, 30), np.uint8), np.ones((1, WEIGHTS), np.float32), 100.0, 400.0)
    assert not found[2:-2, 2:-2].any()


def test_classes_know_calm_places_and_directions() -> None:
    scale = Scale.of(1.0)
    flat = np.zeros((40, 40), np.float32)
    base = scale.number * RESTLESS * DIRECTIONS
    assert (light_filters.classes(flat, scale, 1.0) == base).all()
    stripes = np.tile(np.float32([0, 10]), (40, 20))
    most = base + (RESTLESS - 1) * DIRECTIONS
    assert (light_filters.classes(stripes, scale, 1.0)[4:-4, 4:-4] == most + 1).all()
    assert (light_filters.classes(np.ascontiguousarray(stripes.T), scale, 1.0)[4:-4, 4:-4] == most + 2).all()


def test_classes_do_not_depend_on_the_unit() -> None:
    values, scale = plane(), Scale.of(0.7)
    one, other = (light_filters.classes(values * np.float32(by), scale, 256.0 * by) for by in (1, 4))
    assert np.array_equal(one, other)


def test_classes_and_scales_are_the_same_everywhere() -> None:
    values = plane(64, 64) / np.float32(2048)
    found = [light_filters.classes(values, Scale.of(step), 1.0) for step in (0.05, 0.3, 1.7, 9.0)]
    assert hashlib.sha256(b"".join(each.tobytes() for each in found)).hexdigest() == CLASSES_DIGEST
    scales = [Scale.of(2.0 ** (k / 16)) for k in range(-80, 60)]
    assert all(0 <= each.number < STEPS for each in scales) and max(each.max() for each in found) < CLASSES
    assert hashlib.sha256(repr(scales).encode()).hexdigest() == SCALES_DIGEST


CLASSES_DIGEST = "14a81ed120d483c1a7c58696d930faaba6c170fe473339c8a279aa751b97ce75"
SCALES_DIGEST = "83b53d29d360f12094d27a39d9ff2d3f49ceed8a126fe971c8d812c10f40da14"
