"""Golden streams: what version 1 of our container and of our JPEG writer wrote decodes to the same pixels for ever."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from engine import container, formats, registry
from engine.codec import Ctx

GOLDEN = Path(__file__).parents[1] / "golden"
STREAMS = {
    f"{codec}/{name}": expected
    for codec in ("dct", "dct-rans", "wavelet")
    for name, expected in json.loads((GOLDEN / codec / "digests.json").read_text()).items()
}


@pytest.mark.parametrize("name", STREAMS)
def test_golden_streams_decode_to_the_pixels_they_always_had(name: str) -> None:
    data, expected = (GOLDEN / name).read_bytes(), STREAMS[name]
    image = registry.codec(Path(name).parent.name).decode(data, Ctx())
    assert hashlib.sha256(image.pixels.tobytes()).hexdigest() == expected["sha256"]
    assert [list(image.pixels.shape), image.bits, str(image.alpha)] == expected["meaning"]


@pytest.mark.parametrize("name", [name for name in STREAMS if not name.startswith("dct/")])
def test_golden_streams_are_told_by_their_content(name: str) -> None:
    data = (GOLDEN / name).read_bytes()
    assert formats.identify(data).codec == container.read(data).codec == Path(name).parent.name


def test_every_file_beside_the_digests_has_one() -> None:
    folders = {name.partition("/")[0] for name in STREAMS}
    paths = (path for codec in folders for path in (GOLDEN / codec).iterdir() if path.suffix != ".json")
    files = {f"{path.parent.name}/{path.name}" for path in paths}
    assert files == set(STREAMS)
