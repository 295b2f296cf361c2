"""Codecs that count what a search asks of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.codec import Codec, Ctx, Encoded, Prepared, Preparing, Settings
from engine.image import Image


class Counted:
    """A codec that prepares, with counts: `transforms` of what it prepared, `tries` of what it made of that, and whole
    `encodes` apart from these; everything else is the codec's own."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.encodes = self.transforms = self.tries = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codec, name)

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        self.encodes += 1
        return self._codec.encode(image, settings, ctx)

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Prepared:
        assert isinstance(self._codec, Preparing)
        self.transforms += 1
        prepared = self._codec.prepare(image, settings, ctx)

        def encode(value: Any) -> Encoded:
            self.tries += 1
            return prepared.encode(value)

        return replace(prepared, encode=encode)
