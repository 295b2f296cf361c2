"""Steps of training against a discriminator, which learns beside the decoder that it judges."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.learned.critic import Critic, adversarial_cost, critic_cost
from engine.learned.grain import PERIOD
from engine.learned.layers import precision
from engine.learned.loss import Cost
from engine.learned.model import LatentModel, channels_last
from engine.learned.optimiser import Optimiser
from engine.learned.recipe import Recipe, TextureRecipe
from engine.learned.step import TrainingStep
from engine.learned.texture_loss import picture_cost


def step_of(recipe: Recipe, model: LatentModel, optimiser: Optimiser, device: torch.device, cost: Cost) -> TrainingStep:
    """How a run of this recipe takes steps."""
    if recipe.texture is None:
        return TrainingStep(model, optimiser, device, cost)
    return AdversarialStep(model, optimiser, device, cost, recipe.texture)


class AdversarialStep(TrainingStep):
    """A step of the plausible decoder, then one of its critic on the same pictures. The same on all devices.

    The running mean of the loss leaves the critic's part out, which has no zero.
    """

    def __init__(
        self, model: LatentModel, optimiser: Optimiser, device: torch.device, cost: Cost, recipe: TextureRecipe
    ) -> None:
        super().__init__(model, optimiser, device, cost)
        self._recipe = recipe
        self.critic = channels_last(Critic(recipe.critic_width)).to(device)
        self._critics = Optimiser([(list(self.critic.parameters()), recipe.critic_rate)], betas=(0.5, 0.9))
        self._steps = 0

    def state(self) -> dict[str, Any]:
        return {"critic": self.critic.state_dict(), "critics": self._critics.state(), "steps": self._steps}

    def restore(self, state: dict[str, Any]) -> None:
        self.critic.load_state_dict(state["critic"])
        self._critics.restore(state["critics"])
        self._steps = state["steps"]

    @property
    def weight(self) -> float:
        """Of the critic's verdict by now."""
        return self._recipe.adversarial * min(1.0, self._steps / max(self._recipe.ramp_steps, 1))

    def take(self, pictures: Tensor, rates: Tensor) -> None:
        row, column = torch.randint(PERIOD, (2,)).tolist()
        with precision(pictures.device, half=True):
            faithful, plausible = self._model.both(pictures, rates, (row, column))
        loss = picture_cost(plausible, pictures, self._model.lambda_of(rates), self._recipe)
        against = loss
        if self._recipe.adversarial:
            self.critic.requires_grad_(False)
            against = loss + self.weight * adversarial_cost(self._judged(plausible, faithful))
        self.follow(loss, self._optimiser.step(against))
        if self._recipe.adversarial:
            self.critic.requires_grad_(True)
            verdicts = self._judged(torch.cat([pictures, plausible.detach()]), torch.cat([faithful, faithful]))
            self._critics.step(critic_cost(*verdicts.chunk(2)))
        self._steps += 1

    def _judged(self, pictures: Tensor, faithful: Tensor) -> Tensor:
        with precision(pictures.device, half=True):
            verdict: Tensor = self.critic(pictures, faithful)
        return verdict
