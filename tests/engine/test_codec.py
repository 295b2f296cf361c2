"""Knobs and codecs as they describe themselves: what a setting may be, and what is said when it may not."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from engine.codec import Capabilities, CodecInfo, Ctx, Encoded, Kind, Param, Role
from engine.errors import Cancelled, UsageError

NUMBER = Param("q", Kind.FLOAT, 5.0, 0.5, 9.5, role=Role.RATE, better=1)
WHOLE = Param("n", Kind.INT, 3, 1, 7)
CHOICE = Param("c", Kind.CHOICE, "a", choices=("a", "b"))
FLAG = Param("f", Kind.BOOL, False)


@pytest.mark.parametrize(
    ("param", "given", "value"),
    [
        (NUMBER, "0.5", 0.5),
        (NUMBER, 9.5, 9.5),
        (NUMBER, 3, 3.0),
        (Param("q", Kind.FLOAT, 0.0), -1e300, -1e300),
        (Param("q", Kind.FLOAT, 0.0, lo=1.0), 1e300, 1e300),
        (Param("q", Kind.FLOAT, 0.0, hi=1.0), -1e300, -1e300),
        (WHOLE, "1", 1),
        (WHOLE, 7.0, 7),
        (CHOICE, "b", "b"),
        *((FLAG, word, True) for word in (True, 1, "true", "TRUE", "yes", "on", "1")),
        *((FLAG, word, False) for word in (False, 0, "false", "no", "Off", "0")),
    ],
)
def test_what_a_knob_takes(param: Param, given: object, value: object) -> None:
    taken = param.coerce(given)
    assert (taken, type(taken)) == (value, type(value))


@pytest.mark.parametrize(
    ("param", "given", "allowed"),
    [
        (NUMBER, 0.49, "a number from 0.5 to 9.5"),
        (NUMBER, 9.51, "a number from 0.5 to 9.5"),
        (NUMBER, float("nan"), "a number from 0.5 to 9.5"),
        (NUMBER, True, "a number from 0.5 to 9.5"),
        (NUMBER, "much", "a number from 0.5 to 9.5"),
        (NUMBER, None, "a number from 0.5 to 9.5"),
        (Param("q", Kind.FLOAT, 0.0, lo=1.0), 0.9, "a number"),
        (Param("q", Kind.FLOAT, 0.0, hi=1.0), 1.1, "a number"),
        (WHOLE, 0, "a whole number from 1 to 7"),
        (WHOLE, 8, "a whole number from 1 to 7"),
        (WHOLE, 2.5, "a whole number from 1 to 7"),
        (WHOLE, False, "a whole number from 1 to 7"),
        (CHOICE, "c", "a, b"),
        (FLAG, "perhaps", "true or false"),
        (FLAG, 2, "true or false"),
    ],
)
def test_what_a_knob_refuses_and_what_it_says_is_allowed(param: Param, given: object, allowed: str) -> None:
    with pytest.raises(UsageError) as refused:
        param.coerce(given)
    assert refused.value.message == f"{param.name} = {given!r}: allowed is {allowed}"


INFO = CodecInfo("x", "Codec X", "dct", ".x", (WHOLE, NUMBER, CHOICE, FLAG))


def test_settings_are_completed_by_the_defaults_in_the_order_of_the_knobs() -> None:
    complete = INFO.complete({"f": "yes", "n": "4"})
    assert list(complete.items()) == [("n", 4), ("q", 5.0), ("c", "a"), ("f", True)]
    assert INFO.complete(None) == INFO.defaults() == {"n": 3, "q": 5.0, "c": "a", "f": False}


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"^x has no setting 'speed'; it has n, q, c, f$"):
        INFO.complete({"speed": 1})
    with pytest.raises(UsageError, match=r"it has none$"):
        CodecInfo("y", "Y", "dct", ".y").param("q")


def test_the_rate_is_turned_by_the_knob_with_that_role() -> None:
    assert INFO.rate_param is NUMBER
    assert CodecInfo("y", "Y", "dct", ".y", (WHOLE, FLAG)).rate_param is None


def test_a_knob_is_a_tool_that_no_size_depends_on_unless_said_otherwise() -> None:
    plain = Param("p", Kind.FLOAT, 1.0)
    assert plain.to_json() == {
        "name": "p",
        "default": 1.0,
        "lo": None,
        "hi": None,
        "better": 0,
        "log": False,
        "label": "",
        "help": "",
        "kind": "float",
        "role": "tool",
        "choices": [],
    }


def test_a_codec_carries_8_bit_colour_and_grey_without_alpha_unless_said_otherwise() -> None:
    assert Capabilities().to_json() == {
        "alpha": False,
        "depths": [8],
        "gray": True,
        "hdr": False,
        "light": "",
        "lossless": False,
        "regions": False,
        "wide_gamut": True,
        "memory": 32.0,
        "max_side": 65535,
    }


def test_descriptions_cannot_be_changed() -> None:
    for fixed, name in (
        (NUMBER, "lo"),
        (INFO, "id"),
        (Capabilities(), "alpha"),
        (Encoded(b""), "data"),
        (Ctx(), "threads"),
    ):
        with pytest.raises(AttributeError):
            setattr(fixed, name, 1)


def test_work_is_given_up_when_asked_and_only_then() -> None:
    event = threading.Event()
    seen: list[Any] = []
    ctx = Ctx.cancelled_by(event, progress=seen.append)
    ctx.check()
    ctx.progress(0.5)
    event.set()
    with pytest.raises(Cancelled):
        ctx.check()
    assert seen == [0.5]


def test_a_plain_context_is_one_thread_alone_that_nobody_stops() -> None:
    ctx = Ctx()
    ctx.check()
    ctx.progress(1.0)
    assert (ctx.threads, ctx.busy(), ctx.cancel()) == (1, False, False)


@pytest.mark.parametrize(("depths", "hdr"), [((8,), False), ((8, 16), False), ((31, 33), False), ((8, 32), True)])
def test_floats_are_hdr(depths: tuple[int, ...], hdr: bool) -> None:
    assert Capabilities(depths=depths).hdr == hdr
