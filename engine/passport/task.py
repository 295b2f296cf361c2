"""The passport of an answer, as work for a worker, which starts the fresh process and compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import registry
from engine.codec import Ctx
from engine.image import Image
from engine.memory import decode_estimate
from engine.passport import Passport
from engine.passport.compare import Claim, judge
from engine.passport.fresh import decode_fresh, other_threads
from engine.trial import Run, blob_hash
from engine.workers import TaskCtx


@dataclass(frozen=True)
class PassportTask:
    """Has a file decoded by a fresh process, and compares that with what is shown of it.

    data: the file as it was encoded. kept: where the store keeps it; if it is there, that very file is decoded.
    decoded: what the encoding process decoded from it. symbols: the digest of what it coded, where it recorded one.
    """

    codec_id: str
    data: bytes
    decoded: Image
    symbols: str | None = None
    kept: Path | None = None

    @property
    def what(self) -> str:
        return f"the decode passport of the {self.codec_id} file"

    @property
    def memory(self) -> int:
        pixels = self.decoded.pixels
        return decode_estimate(registry.codec(self.codec_id).info, pixels.size) + 2 * pixels.nbytes

    def run(self, ctx: TaskCtx) -> Passport:
        file: bytes | Path = self.data
        if self.kept is not None and self.kept.is_file():
            file = self.kept
        claim = Claim(self.decoded, self.symbols, ctx.threads)
        fresh = decode_fresh(file, self.codec_id, other_threads(ctx.threads), ctx, room=_room(self.decoded))
        passport = judge(claim, fresh)
        if isinstance(file, Path) and not passport.reason and blob_hash(file.read_bytes()) != blob_hash(self.data):
            return passport.broken("the stored file is not the one that was encoded: its bytes have changed since")
        return passport


def passport_of(run: Run, ctx: Ctx) -> Passport:
    """The passport of a run that was decoded here. Raises what `decode_fresh` raises."""
    assert run.decoded is not None
    codec_id = run.trial.key.codec
    task = PassportTask(codec_id, run.data, run.decoded, coded_symbols(run.trial.stats))
    return task.run(TaskCtx(ctx.cancel, ctx.progress, ctx.threads, ctx.busy))


def coded_symbols(stats: Mapping[str, Any]) -> str | None:
    """The digest of the symbols that an encoder says it coded, where its figures have one."""
    found = stats.get("symbols")
    return found if isinstance(found, str) else None


def _room(image: Image) -> int:
    """Bytes of a picture as large as this one: a grey one may come back in colours, a byte as floats."""
    return 4 * 4 * image.width * image.height * image.channels
