"""Which weights are found, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.learned import zoo


def test_weights_that_were_replaced_come_last_and_are_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled, own = tmp_path / "bundled", tmp_path / "own"
    monkeypatch.setattr(zoo, "bundled_folder", lambda: bundled)
    monkeypatch.setattr(zoo, "user_folder", lambda: own)
    for folder, name in ((bundled / "earlier", "a-old"), (own, "b-own"), (bundled, "c-new"), (own, "c-new")):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.safetensors").touch()
    assert [(model.id, model.bundled) for model in zoo.models()] == [("c-new", True), ("b-own", False), ("a-old", True)]
    assert zoo.find("a-old").path == bundled / "earlier" / "a-old.safetensors"
    assert zoo.find("c-new").path.parent == bundled
