"""The training loop."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from engine import bd
from engine.learned import stored
from engine.learned.adversarial import step_of
from engine.learned.checkpoint import write_checkpoint
from engine.learned.codebooks import fit_books
from engine.learned.device import random_state, restore_random_state
from engine.learned.evaluate import Point, mean_curve
from engine.learned.export import in_place
from engine.learned.layers import precision
from engine.learned.model import LatentModel, channels_last
from engine.learned.optimiser import Optimiser, groups_of
from engine.learned.progress import Length, Progress
from engine.learned.recipe import ALL, CONTEXTS, DECODER, ENDS, FINE, NETWORKS, PLAUSIBLE, PRIOR, RATES, Recipe
from engine.learned.run_folder import LOG, STEPS
from engine.learned.stored import Stored
from engine.learned.subject import Subject
from engine.learned.vector_prior import VectorPrior
from engine.learned.warm import begin, build_on
from engine.store import processor

CHECKPOINT_SECONDS = 100.0
LONGEST_STEP = 30.0  # seconds that one counts for: a process that was suspended meanwhile did not train
AVERAGE_EVERY = 4
LOG_EVERY = 100
VALIDATION_PICTURES = 24
FIT_PATCHES = 320
BOOK_BATCHES = 3  # of these, that codebooks are learned from
CPU = torch.device("cpu")
_FINEST = ("up4", "picture4", "scale4", "blocks4", "leave")
_FINE = ("up8", "picture8", "blocks8", *_FINEST)
MOVED: dict[str, tuple[str, ...]] = {
    ALL: ("transform.", "log_gain.", "shrinkage.", "prior.", "synthesis."),
    PRIOR: ("prior.",),
    DECODER: ("synthesis.",),
    NETWORKS: ("prior.", "synthesis."),
    RATES: ("prior.", "log_gain."),
    CONTEXTS: ("prior.slices.", "synthesis.attention"),
    FINE: tuple(f"synthesis.{part}" for part in _FINE),
    ENDS: ("transform.", "prior.", "log_gain.", "shrinkage.", *(f"synthesis.{part}" for part in _FINEST)),
    PLAUSIBLE: ("plausible.",),
}
"""What moves, by what a recipe trains."""


class Reports(Protocol):
    """Who is told how training goes."""

    def note(self, text: str) -> None: ...

    def progress(self, text: str) -> None: ...


class Trainer:
    """A run in memory: the model, the moving average of its weights, the optimiser and all counters.

    `state` and `restore` carry all of it, random numbers too: a resumed run takes the steps that it would have taken.
    `record` is the newest line of log.jsonl, None before the first.
    """

    def __init__(
        self,
        recipe: Recipe,
        subject: Subject,
        folder: Path,
        *,
        device: torch.device = CPU,
        reports: Reports | None = None,
    ) -> None:
        self.recipe, self.folder, self.device, self.reports = recipe, folder, device, reports
        self.progress = Progress()
        self.record: dict[str, Any] | None = None
        self.subject, self.patches, self.data = subject, subject.patches, subject.data
        torch.manual_seed(recipe.training.seed)
        self.model = channels_last(LatentModel(recipe.model, recipe.rate)).to(device)
        self.averaged = copy.deepcopy(self.model).requires_grad_(False).eval()
        self.optimiser = Optimiser(groups_of(self.model, recipe.training))
        self.step = step_of(recipe, self.model, self.optimiser, device, subject.cost)
        self.validation = subject.validation(VALIDATION_PICTURES).to(device)
        self.first_curve: list[list[float]] = []
        self.backbone: dict[str, str] | None = None
        """Codec and digest of the weights that this run's build on."""
        self._choose_parts()

    # --- Starting ---------------------------------------------------------------------------------

    def start(self, weights: Stored | None = None) -> None:
        """Begin a run: from the statistics of some patches, or from trained weights of this model or one within it; or
        from the recipe's backbone. `EngineError` if that is not installed, or does not fit."""
        # Statistics take a second: they are computed on the CPU, in the same floats for every device.
        fitted = copy.deepcopy(self.model).cpu()
        if self.recipe.backbone:
            backbone = stored.read_preferred(self.recipe.backbone)
            build_on(fitted, backbone)
            self.backbone = {"codec": backbone.architecture, "digest": backbone.digest}
        if (weights is not None or not self.recipe.backbone) and begin(fitted, weights, self._statistics):
            self.progress.static_until = self.recipe.training.static_steps
        if isinstance(fitted.prior, VectorPrior):
            fit_books(fitted, (self._statistics() for _ in range(BOOK_BATCHES)))
        self.model.load_state_dict(fitted.state_dict())
        self.averaged.load_state_dict(self.model.state_dict())

    def _statistics(self) -> Tensor:
        """Patches to take statistics of."""
        return self.patches.batch(FIT_PATCHES, self.recipe.training.patch)[:, :3].cpu()

    def state(self) -> dict[str, Any]:
        self._set_stage()  # now: where the next step begins another stage, a resumed run could not tell that it is new
        return {
            "recipe": self.recipe.to_dict(),
            "progress": asdict(self.progress),
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state(),
            "patches": self.patches.state,
            "random": torch.get_rng_state(),
            "device_random": random_state(self.device),
            "loss": self.step.loss,
            "step": self.step.state(),
            "first_curve": self.first_curve,
            "data": self.data,
            "backbone": self.backbone,
            "machine": self._machine(),
        }

    def _machine(self) -> dict[str, Any]:
        """Where the newest session ran."""
        card = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else ""
        place = {"device": self.device.type, "card": card, "threads": torch.get_num_threads()}
        return {"processor": processor(), **place, "torch": str(torch.__version__)}

    def restore(self, state: dict[str, Any]) -> None:
        self.progress = Progress(**state["progress"])
        self._set_stage()
        self.model.load_state_dict(in_place(state["model"], self.model))
        self.averaged.load_state_dict(in_place(state["averaged"], self.model))
        self.optimiser.restore(state["optimiser"])
        self.patches.state = state["patches"]
        torch.set_rng_state(state["random"])
        restore_random_state(self.device, state.get("device_random"))  # not there in checkpoints of CPU sessions
        self.step.loss, self.first_curve = state["loss"], state["first_curve"]
        self.step.restore(state.get("step", {}))
        self.backbone = state.get("backbone")

    def save(self) -> None:
        write_checkpoint(self.folder, self.state())

    # --- Training ---------------------------------------------------------------------------------

    def train(self, length: Length, stop: Callable[[], bool]) -> None:
        """Take steps until `length` is over, a decay has ended, or `stop` says so; save before returning."""
        # Of the steps that a killed session took and nobody saved, the event files keep only what is taken again.
        writer = SummaryWriter(str(self.folder / "events"), purge_step=self.progress.steps + 1)
        started = saved = validated = time.monotonic()
        first = self.progress.steps
        if not self.first_curve:
            self._validate(writer)
        while not self._over(length, time.monotonic() - started, first) and not stop():
            before = time.monotonic()
            self._step()
            now = time.monotonic()
            self.progress.seconds += min(now - before, LONGEST_STEP)
            if self.progress.steps % LOG_EVERY == 0:
                self._log(writer)
            if now - saved >= CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()
            if now - validated >= 60 * self.recipe.training.validation_minutes:
                self._validate(writer)
                validated = time.monotonic()
        self.save()
        if not stop():  # who asks for an end should not have to wait
            self._validate(writer)
        writer.close()

    def _over(self, length: Length, seconds: float, first: int) -> bool:
        done = self.progress.decaying and self.progress.decayed >= 1
        return done or length.share(seconds, self.progress.steps - first) >= 1

    def _step(self) -> None:
        progress, recipe = self.progress, self.recipe
        part = recipe.decay if progress.decaying else recipe.training
        self._set_stage()
        pictures = self.patches.batch(part.batch, part.patch)
        # One rate from each of `batch` equal parts of the range: every step sees all of it.
        rates = (torch.arange(part.batch) + torch.rand(part.batch)) / part.batch * recipe.highest_rate
        self.optimiser.set_rates(progress.learning_rate(recipe))
        self.step.take(pictures, rates.to(self.device, non_blocking=True))
        progress.steps += 1
        progress.pixels += pictures.shape[0] * pictures.shape[-1] * pictures.shape[-2]
        if progress.steps % AVERAGE_EVERY == 0:
            self._average()

    def _set_stage(self) -> None:
        """What takes part by now: the transform and the decoder's network, the arithmetic of integers."""
        static, quantised = self.progress.static, self.progress.quantised(self.recipe)
        if self.model.correcting == static:
            self.averaged.correcting = self.model.correcting = not static
            self._choose_parts()
            self._expect_change()
        if self.model.quantised != quantised:
            self.model.quantise(quantised)
            self.averaged.quantise(quantised)
            self._expect_change()

    def _choose_parts(self) -> None:
        """What moves, by the recipe and by how far the run is."""
        trains, model = self.recipe.training.trains, self.model
        model.rendering = trains != PRIOR
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith(MOVED[trains]))
        if not model.correcting:
            model.transform.requires_grad_(False)

    def _expect_change(self) -> None:
        self.optimiser.expect_change()
        self.step.renew()

    @torch.no_grad()
    def _average(self) -> None:
        self.progress.averaged += 1
        weight = self.progress.averaging_weight(self.recipe, AVERAGE_EVERY)
        torch._foreach_lerp_(list(self.averaged.parameters()), list(self.model.parameters()), weight)

    # --- Telling ----------------------------------------------------------------------------------

    def _log(self, writer: SummaryWriter) -> None:
        progress = self.progress
        values = {
            "loss": self.step.loss,
            "gradient_norm": self.optimiser.norm,
            "skipped": self.optimiser.skipped,
            "learning_rate": progress.learning_rate(self.recipe),
            "megapixels_per_second": progress.pixels / max(progress.seconds, 1e-9) / 1e6,
        }
        for name, value in values.items():
            if value is not None:
                writer.add_scalar(f"training/{name}", value, progress.steps)
        self._append(STEPS, {"steps": progress.steps, "seconds": progress.seconds, **values})
        if self.reports is not None:
            self.reports.progress(
                f"step {progress.steps}, {progress.seconds / 60:.1f} min, loss {self.step.loss or 0:.4f}"
            )

    def _validate(self, writer: SummaryWriter) -> None:
        """The moving average's curve on the pictures held back, for the event file, log.jsonl and the terminal."""
        self._set_stage()
        rates = [float(rate) for rate in range(math.floor(self.recipe.highest_rate) + 1)]
        with precision(self.device, half=True):
            curve = mean_curve(self.averaged, self.validation.split(1), rates, self.subject.estimate)
        pairs = [[point.bpp, point.psnr] for point in curve]
        self.first_curve = self.first_curve or pairs
        record = self.record = self._record(curve)
        for name in ("cost", "bd_rate_from_start"):
            if record[name] is not None:
                writer.add_scalar(f"validation/{name}", record[name], self.progress.steps)
        for rate, point in enumerate(curve):
            for name, value in point._asdict().items():
                writer.add_scalar(f"validation_{name}/rate_{rate}", value, self.progress.steps)
        writer.flush()
        self._append(LOG, record)
        if self.reports is not None:
            self.reports.note(told(record))

    def _append(self, name: str, record: Mapping[str, Any]) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")

    def _record(self, curve: list[Point]) -> dict[str, Any]:
        pairs = [(point.bpp, point.psnr) for point in curve]
        try:
            against = bd.bd_rate([(bpp, psnr) for bpp, psnr in self.first_curve], pairs).value
        except bd.NotComparable:
            against = None
        return {
            **asdict(self.progress),
            "loss": self.step.loss,
            "skipped": self.optimiser.skipped,
            "cost": sum(point.cost for point in curve) / len(curve),
            "bd_rate_from_start": against,
            "curve": [point._asdict() for point in curve],
        }


def told(record: Mapping[str, Any]) -> str:
    """A line of log.jsonl in one line for people; points are bpp/dB."""
    points = " ".join(f"{point['bpp']:.3f}/{point['psnr']:.2f}" for point in record["curve"])
    loss = f"{record['loss']:.4f}" if record["loss"] is not None else "-"
    against = record["bd_rate_from_start"]
    start = f"{against:+.2f} %" if against is not None else "-"
    return (
        f"step {record['steps']}  {record['seconds'] / 60:.1f} min  loss {loss}  skipped {record['skipped']}  "
        f"cost {record['cost']:.4f}  BD-rate from start {start}  {points}"
    )
