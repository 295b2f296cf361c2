"""Failures are one plain line: the file, the cause, the remedy; they travel between processes whole."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from engine.errors import CorruptStream, EngineError, UsageError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (EngineError("is broken"), "is broken"),
        (EngineError("is broken", path="a.png"), "a.png: is broken"),
        (EngineError("is broken", hint="mend it"), "is broken (mend it)"),
        (EngineError("is broken", path=Path("b") / "a.png", hint="mend it"), "b/a.png: is broken (mend it)"),
    ],
)
def test_the_line_names_the_file_the_cause_and_the_remedy(error: EngineError, text: str) -> None:
    assert str(error) == text
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.message, again.path, again.hint) == (text, error.message, error.path, error.hint)


def test_an_error_crosses_a_process_as_the_kind_that_it_is() -> None:
    again = pickle.loads(pickle.dumps(CorruptStream("is broken", path="a.png")))
    assert type(again) is CorruptStream
    assert again.args == ("is broken", "a.png", "")
    assert EngineError("x").args == ("x", None, "")


def test_a_file_is_named_once() -> None:
    error = UsageError("no", hint="yes")
    named = error.at("a.png")
    assert (type(named), named.path, named.hint) == (UsageError, Path("a.png"), "yes")
    assert named.at("b.png") is named
    assert error.path is None
