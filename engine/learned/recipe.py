"""Recipes: what a model is made of and how it is trained, as a TOML file.

The `model` and `rate` sections fix the weights' shapes and meaning: they stay as they are for the life of a run.
The others may change from one session to the next.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import EngineError, UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

MOST_MIXTURES = 4
MOST_CODES = 4096

# Architectures, by the codecs that they are for.
PHOTOGRAPHS, LIGHT, FILTERS = "hyperprior", "lightmap-ae", "lightmap-multiscale"
ZOO = (
    "ae",
    "vae",
    "vqvae",
    "factorized",
    "hyperprior-scale",
    "channelwise",
    "context-ar",
    "attention-gmm",
    "gan",
    "ratescope",
)
"""Of photographs, too."""

# Entropy models: one density for each channel; the same, learned as the prior of a variational autoencoder; a
# hyper-latent, and slices predicted from it; or codebooks of vectors.
STATIC, VARIATIONAL, HYPER, VECTORS = "static", "variational", "hyper", "vectors"
# What a slice knows of itself: nothing, half of its positions, or all positions before.
NOTHING, CHECKERBOARD, RASTER = "nothing", "checkerboard", "raster"

BOOKS_PER_RATE = 2  # codebooks for each whole step of the rate

# What training moves: everything; the entropy model; the decoder's network; both of these; the entropy model and
# the gains; the contexts of slices and the decoder's attention; the decoder at 1/8 and 1/4; the transform, the
# entropy model, the gains and the decoder at 1/4; the second decoder.
ALL, PRIOR, DECODER, NETWORKS, RATES = "all", "prior", "decoder", "networks", "rates"
CONTEXTS, FINE, ENDS, PLAUSIBLE = "contexts", "fine", "ends", "plausible"
_PARTS = (ALL, PRIOR, DECODER, NETWORKS, RATES, CONTEXTS, FINE, ENDS, PLAUSIBLE)


@dataclass(frozen=True)
class ModelRecipe:
    """The architecture.

    channels: coefficients kept of each 16×16×3 block, most energetic first; slices: how many of them are coded
    together, in that order. hyper_channels: of the hyper-latent at 1/64; hyper_width: of the networks around it.
    context_width, anchor_width: features of a slice's context, and of its own first half. synthesis_widths,
    synthesis_blocks: channels and residual blocks of the decoder at 1/4, 1/8 and 1/16. lapped_scale: the first
    scale of the lapped pre-filter. learned_transform: whether training moves the linear transform; else the weights
    hold no more of it than which coefficients are kept. seen: how many of these, from the first on, the hyper-analysis
    and the decoder's network look at (0: all). last_context_width, last_anchor_width: of the last slice, if it is to
    be narrower (0: it is not). prior: the entropy model, "static", "variational" or "hyper". context: what a slice
    knows of itself, "nothing", "checkerboard" or "raster". means: whether coefficients are predicted, else their scales
    alone. mixtures: densities that are mixed for each coefficient. attention: whether the decoder's network has
    attention at 1/16, 1/8. plausible: whether a second decoder's network makes up what the faithful one leaves out.
    squared_step_bits: for the "static" prior, what an error of a quantisation step counts for against bits, where
    symbols are chosen by what they cost (0: they are the nearest). vectors, codes: for the prior of "vectors", how many
    coefficients of a slice are coded together, and by how many codes at most; books: codebooks for each, for every
    half step of the rate from 0 on.
    """

    channels: int = 288
    slices: tuple[int, ...] = (16, 40, 72, 160)
    hyper_channels: int = 64
    hyper_width: int = 128
    context_width: int = 160
    anchor_width: int = 128
    synthesis_widths: tuple[int, int, int] = (64, 128, 160)
    synthesis_blocks: tuple[int, int, int] = (2, 2, 2)
    lapped_scale: float = 1.3
    learned_transform: bool = True
    seen: int = 0
    last_context_width: int = 0
    last_anchor_width: int = 0
    prior: str = HYPER
    context: str = CHECKERBOARD
    means: bool = True
    mixtures: int = 1
    attention: bool = False
    plausible: bool = False
    squared_step_bits: float = 0.0
    vectors: tuple[int, ...] = ()
    codes: tuple[int, ...] = ()
    books: int = 0

    @property
    def looked_at(self) -> int:
        """Coefficients that the hyper-analysis and the decoder's network look at."""
        return self.seen or self.channels

    @property
    def shrinks(self) -> bool:
        """Whether the decoder scales coefficients: those that come with noise, or without a prediction that were
        chosen by what they cost, are not in the middle of their steps."""
        return self.prior == VARIATIONAL or self.squared_step_bits > 0

    def widths(self, number: int) -> tuple[int, int]:
        """Features of the context, and of its own first half, of a slice."""
        if number < len(self.slices) - 1:
            return self.context_width, self.anchor_width
        return self.last_context_width or self.context_width, self.last_anchor_width or self.anchor_width

    def __post_init__(self) -> None:
        if sum(self.slices) != self.channels or min(self.slices, default=0) < 1:
            raise UsageError(f"slices {self.slices} do not add up to {self.channels} channels")
        if not 3 <= self.channels <= 768:
            raise UsageError("a block of 16×16×3 has 768 coefficients: keep 3 to 768 channels")
        if self.seen > self.channels:
            raise UsageError(f"of {self.channels} channels {self.seen} cannot be looked at")
        _require_one_of("model.prior", self.prior, (STATIC, VARIATIONAL, HYPER, VECTORS))
        _require_one_of("model.context", self.context, (NOTHING, CHECKERBOARD, RASTER))
        if not 1 <= self.mixtures <= MOST_MIXTURES:
            raise UsageError(f"of densities 1 to {MOST_MIXTURES} can be mixed, not {self.mixtures}")
        if self.mixtures > 1 and self.context == RASTER:
            raise UsageError("position by position, one density is predicted, and no mixture")
        if self.squared_step_bits and self.prior != STATIC:
            raise UsageError("symbols that others are predicted from are the nearest: squared_step_bits has to be 0")
        if self.prior == VECTORS:
            self._require_books()
        if len(self.synthesis_widths) != 3 or len(self.synthesis_blocks) != 3:
            raise UsageError("the synthesis has three resolutions: give three widths and three numbers of blocks")

    def _require_books(self) -> None:
        if not len(self.vectors) == len(self.codes) == len(self.slices):
            raise UsageError("of every slice, say how many coefficients make a vector, and how many codes there are")
        if any(width % size for width, size in zip(self.slices, self.vectors, strict=True)):
            raise UsageError(f"slices {self.slices} cannot be divided into vectors of {self.vectors} coefficients")
        if not (self.books >= 1 and 2 <= min(self.codes) <= max(self.codes) <= MOST_CODES):
            raise UsageError(f"there must be a codebook, of 2 to {MOST_CODES} codes")


@dataclass(frozen=True)
class RateRecipe:
    """The range of rates. lambda_low, lambda_high: weight of the squared error (of 8-bit values) against bits per
    pixel at rate 0 and rate `points` - 1; in between it grows geometrically. Tables hold one row per point."""

    points: int = 6
    lambda_low: float = 0.0007
    lambda_high: float = 0.1

    def __post_init__(self) -> None:
        if self.points < 2 or not 0 < self.lambda_low < self.lambda_high:
            raise UsageError("a range of rates needs two points or more, and 0 < lambda_low < lambda_high")


@dataclass(frozen=True)
class TrainingRecipe:
    """The open-ended part of training, at a constant learning rate.

    static_steps: steps at the start in which the transform stays as it is and only the entropy model learns.
    downscale: share of patches that are scaled down, by up to a factor of 2. averaging: the moving average of
    the weights reaches back over an eighth of the steps, but never over more than this many. trains: what moves:
    "all", the "prior" alone (rate is all that counts then), the "decoder" alone, both of these "networks", the prior
    and the gains, "rates", what a slice knows and the decoder's attention, "contexts", the decoder at 1/8 and 1/4,
    "fine", all but the decoder at 1/16 and 1/8, "ends", or the second decoder alone, "plausible".
    """

    batch: int = 8
    patch: int = 128
    downscale: float = 0.25
    learning_rate: float = 5e-4
    table_rate: float = 1e-3
    transform_rate: float = 2e-5
    warmup_steps: int = 150
    static_steps: int = 1500
    averaging: int = 20000
    validation_minutes: float = 10.0
    seed: int = 0
    trains: str = ALL

    def __post_init__(self) -> None:
        _require_one_of("training.trains", self.trains, _PARTS)


@dataclass(frozen=True)
class DecayRecipe:
    """The closing part: the learning rate falls linearly to `final` of itself. quantise_from: the share of the decay
    after which the entropy networks are trained in the arithmetic of integers that the coder will use."""

    batch: int = 8
    patch: int = 192
    final: float = 0.02
    quantise_from: float = 0.5


@dataclass(frozen=True)
class LightRecipe:
    """What errors of light cost besides their squares; see `engine.learned.light_loss`."""

    structure: float = 18.0
    gradient: float = 0.03
    lighting: float = 0.3


@dataclass(frozen=True)
class TextureRecipe:
    """What a decoder that makes texture up learns by; see `engine.learned.texture_loss`, `seen_error`, `critic`.

    squares, seen, details, statistics, adversarial: weights of the terms. ramp_steps: over which the adversarial
    one rises from nothing. critic_width: features of the discriminator's first layer; critic_rate: how fast it learns.
    highest_rate: batches are of rates from 0 to this.
    """

    squares: float = 1.0
    seen: float = 1.0
    details: float = 1.0
    statistics: float = 1.0
    adversarial: float = 0.1
    ramp_steps: int = 500
    critic_width: int = 48
    critic_rate: float = 2e-4
    highest_rate: float = 2.5


@dataclass(frozen=True)
class Recipe:
    """light: for models of lightmaps; None for those of photographs. codec: that the weights are for, "" for the one
    that was there first of photographs or of light. backbone: the codec whose transform, gains and decoder these
    weights take over and leave as they are; "" for weights of their own. texture: for decoders that make it up."""

    model: ModelRecipe
    rate: RateRecipe
    training: TrainingRecipe
    decay: DecayRecipe
    light: LightRecipe | None = None
    codec: str = ""
    backbone: str = ""
    texture: TextureRecipe | None = None

    @property
    def architecture(self) -> str:
        """The codec that the weights are for."""
        return architecture_name(self.to_dict())

    @property
    def highest_rate(self) -> float:
        """Up to which batches are drawn."""
        last = self.rate.points - 1.0
        if self.model.prior == VECTORS:
            last = min(last, (self.model.books - 1) / BOOKS_PER_RATE)
        return last if self.texture is None else min(self.texture.highest_rate, last)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def architecture_name(content: Mapping[str, Any]) -> str:
    """The codec that weights of this recipe are for; recipes of long ago do not say."""
    return str(content.get("codec") or (PHOTOGRAPHS if content.get("light") is None else LIGHT))


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a TOML file; what it leaves out has the default. Raises an `EngineError` that names the file."""
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return recipe_of(content)
    except OSError as error:
        raise EngineError(f"cannot be read: {(error.strerror or str(error)).lower()}", path=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EngineError(f"is not valid TOML: {error}", path=path) from error
    except EngineError as error:
        raise error.at(path) from error


def recipe_of(content: Mapping[str, Any]) -> Recipe:
    """The recipe in nested mappings, as TOML and JSON give them. `UsageError` names what is unknown or misfits."""
    unknown = sorted(set(content) - {field.name for field in fields(Recipe)})
    if unknown:
        raise UsageError(f"unknown section '{unknown[0]}'")
    return Recipe(
        _section(ModelRecipe, content.get("model", {}), "model"),
        _section(RateRecipe, content.get("rate", {}), "rate"),
        _section(TrainingRecipe, content.get("training", {}), "training"),
        _section(DecayRecipe, content.get("decay", {}), "decay"),
        _section(LightRecipe, content["light"], "light") if content.get("light") is not None else None,
        _text(content, "codec"),
        _text(content, "backbone"),
        _section(TextureRecipe, content["texture"], "texture") if content.get("texture") is not None else None,
    )


def architecture_of(content: Mapping[str, Any]) -> tuple[ModelRecipe, RateRecipe]:
    """What weights depend on, from the recipe that was stored with them; how they were trained is not looked at."""
    model, rate = content.get("model", {}), content.get("rate", {})
    return _section(ModelRecipe, model, "model"), _section(RateRecipe, rate, "rate")


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str):
        raise UsageError(f"'{name}' should be the name of a codec")
    return value


def _section(kind: type[T], content: Any, name: str) -> T:
    if not isinstance(content, Mapping):
        raise UsageError(f"'{name}' should be a section")
    defaults = kind()
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key not in {field.name for field in fields(kind)}:
            raise UsageError(f"unknown entry '{key}' in section '{name}'")
        values[key] = _like(getattr(defaults, key), value, f"{name}.{key}")
    return kind(**values)


def _require_one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"'{name}' should be one of {', '.join(allowed)}, not '{value}'")


def _like(default: Any, value: Any, name: str) -> Any:
    """`value` in the type of `default`."""
    if isinstance(default, tuple):
        if isinstance(value, list | tuple) and all(type(item) is int and item > 0 for item in value):
            return tuple(value)
        raise UsageError(f"'{name}' should be a list of positive whole numbers")
    if isinstance(default, str) and isinstance(value, str):
        return value
    if isinstance(default, float) and type(value) in (int, float) and value >= 0:
        return float(value)
    if type(value) is type(default) and not isinstance(default, str) and value >= 0:
        return value
    wanted = "text" if isinstance(default, str) else f"a {type(default).__name__} of zero or more"
    raise UsageError(f"'{name}' should be {wanted}, not {value!r}")
