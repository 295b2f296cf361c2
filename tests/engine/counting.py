"""Codecs that count what a search asks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.codec import Codec, Ctx, Encoded, Preparing, Settings
from engine.image import Image


class Counted:
    """A codec that prepares, with its `encodes` and `transforms` counted; everything else is the codec's own."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.encodes = self.transforms = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codec, name)

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        self.encodes += 1
        return self._codec.encode(image, settings, ctx)

    def prepare(self, image: Image, settings: Settings, ctx: Ctx) -> Callable[[Any], bytes]:
        assert isinstance(self._codec, Preparing)
        self.transforms += 1
        return self._codec.prepare(image, settings, ctx)
