"""The decoder that makes texture up: what it is judged by, and that nothing but itself moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import GAN_RECIPE, RECIPE, photographs, picture, tensor, tiny_gan_weights, tiny_weights

from engine.codec import Ctx
from engine.errors import UsageError
from engine.image import Image
from engine.learned import adversarial, stored
from engine.learned.adversarial import AdversarialStep
from engine.learned.critic import Critic, adversarial_cost, critic_cost
from engine.learned.export import export_run, load_model
from engine.learned.layers import precision
from engine.learned.model import LatentModel
from engine.learned.optimiser import Optimiser, groups_of
from engine.learned.progress import Length
from engine.learned.recipe import TextureRecipe, recipe_of
from engine.learned.seen_error import seen_error
from engine.learned.subject import OfTextures
from engine.learned.texture_loss import picture_cost
from engine.learned.train import prepare
from engine.learned.trainer import Trainer
from engine.metrics import scores

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard")

CPU = torch.device("cpu")
NOTHING = TextureRecipe(squares=0.0, seen=0.0, details=0.0, statistics=0.0, adversarial=0.0)
STATISTICS = replace(NOTHING, statistics=1.0)
LAMBDA = torch.tensor([0.001])


def noise(seed: int, strength: float = 0.05) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return 0.5 + strength * torch.randn((1, 3, 64, 64), generator=random)


def cost(decoded: torch.Tensor, original: torch.Tensor, recipe: TextureRecipe) -> float:
    return float(picture_cost(decoded, original, LAMBDA, recipe))


@pytest.mark.parametrize("term", ["squares", "seen", "details", "statistics"])
def test_every_term_asks_for_the_original(term: str) -> None:
    recipe = replace(NOTHING, **{term: 1.0})
    original = tensor(picture(1, 64))
    off = original + 0.04 * torch.randn(original.shape, generator=torch.Generator().manual_seed(3))
    assert cost(original, original, recipe) < 0.02 * cost(off, original, recipe)
    assert cost(off, original, recipe) > 0.02
    assert cost(off, original, replace(NOTHING, **{term: 2.0})) == pytest.approx(2 * cost(off, original, recipe))


def test_statistics_prefer_another_sample_of_a_texture_to_a_blurred_one_of_less_squared_error() -> None:
    original, other, blurred = noise(1), noise(2), torch.full((1, 3, 64, 64), 0.5)
    assert cost(other, original, replace(NOTHING, squares=1.0)) > cost(blurred, original, replace(NOTHING, squares=1.0))
    assert cost(other, original, STATISTICS) < 0.4 * cost(blurred, original, STATISTICS)


def test_statistics_see_a_grid_that_has_the_energy_of_noise() -> None:
    original = noise(1)
    grid = 0.5 + 0.05 * torch.randn((1, 3, 4, 4), generator=torch.Generator().manual_seed(2)).repeat(1, 1, 16, 16)
    assert cost(grid, original, STATISTICS) > 2 * cost(noise(3), original, STATISTICS)


@pytest.mark.parametrize("change", ["noise", "blur", "tint"])
def test_what_is_seen_is_what_flip_measures(change: str) -> None:
    original = picture(1, 96).astype(float)
    changed = {
        "noise": original + np.random.default_rng(1).normal(0, 8, original.shape),
        "blur": (original + np.roll(original, 2, 0) + np.roll(original, 2, 1)) / 3,
        "tint": original + np.array([12, 0, -6]),
    }[change]
    pictures = [np.rint(each.clip(0, 255)).astype(np.uint8) for each in (original, changed)]
    expected = scores(Image(pictures[0]), Image(pictures[1]), ["flip"], Ctx())["flip"]
    assert float(seen_error(tensor(pictures[1]), tensor(pictures[0]))) == pytest.approx(expected, rel=0.01)


def test_squares_count_for_more_at_higher_rates() -> None:
    recipe, (original, off) = replace(NOTHING, squares=1.0), (noise(1), noise(2))
    costs = [float(picture_cost(off, original, torch.tensor([value]), recipe)) for value in (0.001, 0.004)]
    assert costs[1] == pytest.approx(2 * costs[0])


def test_a_cost_can_be_gone_down_from_where_pictures_are_flat() -> None:
    flat = torch.full((1, 3, 64, 64), 0.5, requires_grad=True)
    picture_cost(flat, noise(1), LAMBDA, TextureRecipe()).backward()
    assert flat.grad is not None and torch.isfinite(flat.grad).all() and flat.grad.abs().max() > 0


def test_hinges_are_indifferent_beyond_one() -> None:
    sure, unsure = torch.tensor([1.5, 3.0]), torch.tensor([0.5, 0.5])
    assert critic_cost(sure, -sure) == 0
    assert critic_cost(unsure, -unsure) == 1
    assert adversarial_cost(unsure) == -0.5


def test_a_critic_learns_to_tell_noise_from_what_is_smooth() -> None:
    torch.manual_seed(0)
    critic = Critic(4)
    optimiser = torch.optim.Adam(critic.parameters(), 5e-3)
    real, smooth = tensor(picture(1, 64)), noise(1, 0.0)
    first = critic_cost(critic(real, smooth), critic(smooth, smooth))
    for _ in range(12):
        optimiser.zero_grad()
        critic_cost(critic(real, smooth), critic(smooth, smooth)).backward()
        optimiser.step()
    assert critic_cost(critic(real, smooth), critic(smooth, smooth)) < 0.9 * first


def test_a_critic_sees_what_the_symbols_say() -> None:
    torch.manual_seed(0)
    critic, real = Critic(4), tensor(picture(1, 64))
    assert not torch.equal(critic(real, real), critic(real, 1 - real))


# --- Training ---------------------------------------------------------------------------------------


def trained(folder: Path, steps: int) -> Trainer:
    def trainer_in(out: Path) -> Trainer:
        assert GAN_RECIPE.texture is not None
        return Trainer(GAN_RECIPE, OfTextures(photographs(), GAN_RECIPE, GAN_RECIPE.texture, CPU), out)

    folder.mkdir(exist_ok=True)
    trainer = prepare(trainer_in, folder)
    trainer.train(Length(steps=steps), lambda: False)
    return trainer


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tiny_weights(tmp_path)
    monkeypatch.setenv(stored.VARIABLE, str(path))
    return path


def test_nothing_moves_but_the_second_decoder_and_nothing_else_is_stored(tmp_path: Path, parent: Path) -> None:
    trained(tmp_path / "run", 6)
    path = tmp_path / "gan.safetensors"
    export_run(tmp_path / "run", path)
    assert {name.partition(".")[0] for name in stored.tensors(path)} == {"plausible", stored.BACKBONE}
    ours, theirs = load_model(path).state_dict(), load_model(parent).state_dict()
    assert all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())
    moved = [
        name
        for name in theirs
        if name.startswith("synthesis.")
        and not torch.equal(ours["plausible" + name.removeprefix("synthesis")], theirs[name])
    ]
    assert moved


def test_a_resumed_run_takes_the_steps_of_an_unbroken_one_and_so_does_its_critic(tmp_path: Path, parent: Path) -> None:
    unbroken = trained(tmp_path / "a", 5).state()
    trained(tmp_path / "b", 2)
    resumed = trained(tmp_path / "b", 3).state()
    for name in ("model", "averaged"):
        assert all(torch.equal(tensor, resumed[name][key]) for key, tensor in unbroken[name].items())
    critics = [state["step"]["critic"] for state in (unbroken, resumed)]
    assert all(torch.equal(tensor, critics[1][key]) for key, tensor in critics[0].items())
    assert unbroken["step"]["steps"] == resumed["step"]["steps"] == 5


def step_of(recipe: TextureRecipe) -> AdversarialStep:
    torch.manual_seed(0)
    model = LatentModel(GAN_RECIPE.model, GAN_RECIPE.rate).requires_grad_(False)
    assert model.plausible is not None
    model.plausible.requires_grad_(True)
    trainer = Optimiser(groups_of(model, GAN_RECIPE.training))
    return AdversarialStep(model, trainer, CPU, lambda *_: torch.zeros(()), recipe)


def test_a_critic_that_gives_no_numbers_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    step = step_of(TextureRecipe(critic_width=4, ramp_steps=0))
    assert step._model.plausible is not None
    before = {name: tensor.clone() for name, tensor in step._model.plausible.state_dict().items()}
    parameters = [parameter.clone() for parameter in step.critic.parameters()]
    forward = step.critic.forward
    monkeypatch.setattr(step.critic, "forward", lambda *pictures: forward(*pictures) * torch.nan)
    step.take(tensor(picture(1, 64)), torch.zeros(1))
    assert step._optimiser.skipped == step._critics.skipped == 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in step._model.plausible.state_dict().items())
    assert all(torch.equal(*each) for each in zip(parameters, step.critic.parameters(), strict=True))


def test_the_critic_has_its_say_little_by_little() -> None:
    step = step_of(TextureRecipe(critic_width=4, ramp_steps=2, adversarial=0.5))
    weights = []
    for _ in range(4):
        weights.append(step.weight)
        step.take(tensor(picture(1, 64)), torch.zeros(1))
    assert weights == [0.0, 0.25, 0.5, 0.5]


def test_without_a_weight_there_is_no_critic_to_teach() -> None:
    step = step_of(TextureRecipe(critic_width=4, adversarial=0.0))
    before = [parameter.clone() for parameter in step.critic.parameters()]
    step.take(tensor(picture(1, 64)), torch.zeros(1))
    assert all(torch.equal(*each) for each in zip(before, step.critic.parameters(), strict=True))


def test_no_tensor_is_made_on_a_fixed_device(monkeypatch: pytest.MonkeyPatch) -> None:
    # Shapes without values know no half precision.
    monkeypatch.setattr(adversarial, "precision", lambda device, half: precision(device, half=False))
    model, critic = LatentModel(GAN_RECIPE.model, GAN_RECIPE.rate).to("meta"), Critic(4).to("meta")
    pictures, rates = torch.empty(2, 3, 64, 64, device="meta"), torch.empty(2, device="meta")
    faithful, plausible = model.both(pictures, rates)
    loss = picture_cost(plausible, pictures, model.lambda_of(rates), TextureRecipe())
    loss = loss + adversarial_cost(critic(plausible, faithful))
    loss.backward()
    assert loss.device.type == "meta"
    assert {p.grad.device.type for p in critic.parameters() if p.grad is not None} == {"meta"}


# --- Two decoders -----------------------------------------------------------------------------------


def test_a_blend_goes_from_one_decoder_to_the_other(tmp_path: Path, parent: Path) -> None:
    model, weights = load_model(tiny_gan_weights(parent)), torch.tensor([[1.0, 0.0, 0.0]])
    random = torch.Generator().manual_seed(1)
    latent, known = (torch.randn((1, 24, 4, 4), generator=random) for _ in range(2))
    faithful, half, plausible = (model.render(latent, known, weights, blend) for blend in (0.0, 0.5, 1.0))
    assert torch.equal(faithful, load_model(parent).render(latent, known, weights))
    assert (plausible - faithful).abs().max() > 0.01
    assert torch.allclose(half, (faithful + plausible) / 2, atol=1e-6)


def test_rates_beyond_the_highest_of_the_recipe_are_not_trained() -> None:
    assert RECIPE.highest_rate == 2.0
    assert GAN_RECIPE.highest_rate == 1.5
    assert recipe_of(GAN_RECIPE.to_dict()) == GAN_RECIPE
    assert replace(GAN_RECIPE, texture=TextureRecipe(highest_rate=9.0)).highest_rate == 2.0
    with pytest.raises(UsageError, match=r"'texture\.squares'"):
        recipe_of({"texture": {"squares": "many"}})
