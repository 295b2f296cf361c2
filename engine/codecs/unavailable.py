"""A codec that cannot run here, with the reason: one row that is greyed out instead of a program that dies."""

from __future__ import annotations

from engine.codec import CodecInfo, Ctx, Encoded, Settings
from engine.errors import CodecUnavailable
from engine.image import Image


class UnavailableCodec:
    """Stands in the registry for a codec whose library, file or plug-in failed to load."""

    def __init__(self, codec_id: str, reason: str, family: str = "") -> None:
        self.info = CodecInfo(codec_id, codec_id, family, "")
        self._reason = reason

    def available(self) -> str | None:
        return self._reason

    def version(self) -> str:
        return "unavailable"

    def encode(self, image: Image, settings: Settings, ctx: Ctx) -> Encoded:
        raise CodecUnavailable(f"{self.info.id}: {self._reason}")

    def decode(self, data: bytes, ctx: Ctx) -> Image:
        raise CodecUnavailable(f"{self.info.id}: {self._reason}")
