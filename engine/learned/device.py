"""Where tensors are computed, and the random numbers that are drawn there."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.errors import UsageError

DEVICES = ("auto", "cuda", "mps", "cpu")


def choose(name: str = "auto") -> torch.device:
    """The device of this name; auto: CUDA, else Apple's MPS, else the CPU. `UsageError` for what is not here."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, here in present.items() if here))
    kind = name.partition(":")[0]
    if kind not in present:
        raise UsageError(f"unknown device '{name}'; known are {', '.join(DEVICES)}")
    if not present[kind]:
        here = ", ".join(kind for kind, here in present.items() if here)
        raise UsageError(f"device '{name}' is not usable here; there is {here}")
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:  # cuda:7 where there is one card
        raise UsageError(f"device '{name}' is not usable here: {str(error).splitlines()[0]}") from error
    return torch.device(name)


def random_state(device: torch.device) -> Tensor | None:
    """Where the device's own random numbers are; None for the CPU, whose numbers everybody shares."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else None


def restore_random_state(device: torch.device, state: Tensor | None) -> None:
    """Go on from `state`, if it is of such a device."""
    if state is not None and device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif state is not None and device.type == "mps":
        torch.mps.set_rng_state(state)
