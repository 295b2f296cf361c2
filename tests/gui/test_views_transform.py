"""The view's arithmetic, without Qt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.views.layouts import Layout, arrangement, visible_keys
from gui.views.transform import MAX_SCALE, MIN_SCALE, ViewTransform

SIDES = st.integers(1, 9000)
SIZES = st.tuples(SIDES, SIDES)
PANES = st.tuples(st.integers(50, 3000), st.integers(50, 2000))
SCALES = st.floats(MIN_SCALE, MAX_SCALE)


@given(SIZES, PANES, SCALES, st.floats(0.1, 10), st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_zoom_keeps_what_is_under_the_cursor(image, pane, scale, factor, part):
    view = ViewTransform(image, (image[0] / 2, image[1] / 2), scale)
    left, top = view.to_device((0, 0), pane)
    right, bottom = view.to_device(image, pane)
    anchor = (left + part[0] * (right - left), top + part[1] * (bottom - top))
    zoomed = view.zoomed(factor, pane, anchor)
    centre_is_free = 0 < zoomed.centre[0] < image[0] and 0 < zoomed.centre[1] < image[1]
    if centre_is_free:
        before, after = view.to_image(anchor, pane), zoomed.to_image(anchor, pane)
        for one, other in zip(before, after, strict=True):
            assert abs(one - other) * zoomed.scale <= 0.51 + 0.51 * max(1, zoomed.scale / view.scale)


@given(SIZES, PANES, SCALES)
def test_device_and_image_positions_are_inverse(image, pane, scale):
    view = ViewTransform(image, (image[0] / 3, image[1] / 5), scale)
    there = view.to_image(view.to_device((3.25, 7.5), pane), pane)
    assert there == pytest.approx((3.25, 7.5), abs=1e-6)


@given(SIZES, PANES)
def test_a_fitted_picture_lies_inside_the_pane(image, pane):
    view = ViewTransform(image).fitted(pane, 4)
    left, top = view.origin(pane)
    width, height = view.drawn_size()
    if view.scale > MIN_SCALE:
        assert left >= 0 and top >= 0 and left + width <= pane[0] and top + height <= pane[1]


def test_fit_above_one_to_one_is_a_whole_number():
    assert ViewTransform.fit_scale((100, 100), (395, 900)) == 3


def test_a_zoom_that_would_jump_over_one_to_one_stops_there():
    view = ViewTransform((100, 100), (50, 50), 0.9)
    assert view.zoomed(1.5, (200, 200)).scale == 1
    assert view.zoomed(1.5, (200, 200)).zoomed(1.5, (200, 200)).scale == 1.5


def test_the_scale_stays_between_a_sixty_fourth_and_sixty_four():
    view = ViewTransform((100, 100), (50, 50), 1.0)
    assert view.zoomed(1e9, (200, 200)).scale == MAX_SCALE
    assert view.zoomed(1e-9, (200, 200)).scale == MIN_SCALE


def test_a_pan_moves_the_picture_by_whole_device_pixels_at_any_scale():
    view = ViewTransform((500, 400), (250, 200), 0.37)
    moved = view.panned(17, -5)
    assert (moved.origin((300, 200))[0] - view.origin((300, 200))[0]) == 17
    assert (moved.origin((300, 200))[1] - view.origin((300, 200))[1]) == -5


def test_a_pan_leaves_some_of_the_picture_in_the_middle():
    view = ViewTransform((500, 400), (250, 200), 2.0).panned(1e6, -1e6)
    assert view.centre == (0, 400)


def test_a_picture_of_other_size_is_looked_at_in_the_same_relative_place():
    view = ViewTransform((100, 200), (25, 150), 4.0).resized((400, 100))
    assert (view.image, view.centre, view.scale) == ((400, 100), (100, 75), 4.0)


def test_no_texel_lies_outside_the_picture():
    view = ViewTransform((10, 10), (5, 5), 10.0)
    assert view.texel((50, 50), (100, 100)) == (5, 5)
    assert view.texel((0, 0), (100, 100)) == (0, 0)
    assert view.texel((99.9, 99.9), (100, 100)) == (9, 9)
    assert view.texel((-0.1, 50), (100, 100)) is None
    assert view.texel((50, 100), (100, 100)) is None


KEYS = ("original", "a", "b", "c", "d")


@pytest.mark.parametrize(
    ("layout", "active", "codec", "seen"),
    [
        (Layout.SINGLE, "b", "b", ("b",)),
        (Layout.SIDE, "original", "b", ("original", "b")),
        (Layout.WIPE, "b", "b", ("original", "b")),
        (Layout.GRID, "a", "a", ("original", "a", "b", "c")),
        (Layout.GRID, "d", "d", ("original", "a", "b", "d")),
        (Layout.GRID, "original", "d", ("original", "a", "b", "d")),
    ],
)
def test_each_layout_shows_the_chosen_renditions(layout, active, codec, seen):
    assert visible_keys(layout, KEYS, active, codec) == seen


def test_four_panes_are_two_by_two_and_panoramas_are_stacked():
    assert arrangement(4, (1000, 660), (768, 512)) == (2, 2)
    assert arrangement(4, (1000, 660), (8000, 500)) == (4, 1)
    assert arrangement(2, (1000, 600), (768, 512)) == (1, 2)
