"""Decoders of learned codecs that predict each position from those before it, beside CompressAI's `mbt2018`.

Time depends on the networks' sizes and not on what they have learned: random weights serve. What is timed is from the
bytes to the pixels, on one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine import registry
from engine.bench import peers
from engine.bench.codecs import LEARNED_RATE, at_rate, settings_text
from engine.bench.pictures import photograph
from engine.bench.work import Side, Work, clock
from engine.codec import Ctx, Loading
from engine.errors import EngineError
from engine.learned import needs
from engine.learned.published.architecture import ARCHITECTURES, Shape

PUBLISHED = Shape(ARCHITECTURES["mbt2018"], 192, 192)
_CONTEXT = "context-ar"


def works() -> Iterator[Work]:
    """The suite."""
    if needs.missing() is not None:
        return
    image = photograph()
    size = f"an RGB photograph of {image.width}×{image.height}"
    codec = registry.codec(_CONTEXT)
    if codec.available() is None:
        if isinstance(codec, Loading):
            codec.load()
        chosen, bpp = at_rate(codec, image, LEARNED_RATE, {})
        ctx = Ctx(threads=1)
        data = codec.encode(image, chosen, ctx).data
        settings = f"{settings_text(chosen)}; {bpp:.3f} bpp, 1 thread"
        ours = Side(f"ratescope {_CONTEXT}", settings, clock(lambda: codec.decode(data, ctx)))
        work = Work(f"{_CONTEXT}-decode", f"decoding `{_CONTEXT}`, {size} at {LEARNED_RATE:g} bpp", "ms", ours)
        yield peers.with_peer(work, compressai())
    work = Work("mbt2018-decode", f"decoding `mbt2018` of the same random weights, {size}", "ms", imported())
    yield peers.with_peer(work, compressai())


@dataclass(frozen=True)
class _Random:
    """Random weights by the names of checkpoints, and CompressAI's model of them, or why there is none."""

    floats: dict[str, np.ndarray]
    theirs: Any | peers.Missing


@lru_cache(maxsize=1)
def _random() -> _Random:
    import torch

    from engine.learned.published import networks, peer, state

    torch.manual_seed(0)
    theirs: Any = peers.Missing("pip install compressai")
    if peer.missing() is None:
        try:
            theirs = peer.peer_model(PUBLISHED)
        except EngineError as error:
            theirs = peers.Missing(error.plain)
    model = networks.PublishedModel(PUBLISHED) if isinstance(theirs, peers.Missing) else theirs
    return _Random(state.published(model.state_dict()).weights, theirs)


def imported() -> Side:
    """Our decoder of an imported `mbt2018`."""
    from engine.learned.published import freezing, passage
    from engine.learned.published.symbols import SymbolCoder

    floats = _random().floats
    model = passage.model_of(PUBLISHED, floats)
    coder = SymbolCoder(PUBLISHED, freezing.freeze(PUBLISHED, floats))
    latent, hyper = passage.analyse(model, photograph().pixels, Ctx())
    data, _ = coder.encode(latent, hyper, Ctx())
    size = latent.shape[0], latent.shape[1]
    return Side(
        "ratescope, imported",
        f"N = M = {PUBLISHED.width}, random weights, along a wavefront in exact arithmetic; 1 thread",
        clock(lambda: passage.render(model, coder.decode(data, size, Ctx()).floats(), Ctx())),
    )


def compressai() -> Side | peers.Missing:
    """CompressAI's decoder of its `mbt2018`."""
    theirs = _random().theirs
    if isinstance(theirs, peers.Missing):
        return theirs
    import torch

    from engine.learned.published import peer
    from engine.learned.spans import computing

    given = torch.from_numpy(photograph().pixels.copy()).permute(2, 0, 1)[None].float() / 255
    with computing(1):
        coded = theirs.compress(given)

    def decode() -> None:
        with computing(1):
            theirs.decompress(coded["strings"], coded["shape"])

    settings = f"N = M = {PUBLISHED.width}, random weights; 1 thread"
    return Side(f"{peer.package()}, mbt2018", settings, clock(decode))
