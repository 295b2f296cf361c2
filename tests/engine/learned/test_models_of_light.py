"""Models of light: what their errors cost, how they train, how they begin with weights of photographs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_model import LIGHT_RECIPE, light_maps, tiny_light_weights, tiny_weights, trained_looking_model

from engine.errors import UsageError
from engine.learned import stored
from engine.learned.evaluate import estimate_light
from engine.learned.export import tensors_of
from engine.learned.light_loss import UNITS, as_codes, as_stops, distortion, squared_light_error
from engine.learned.recipe import LIGHT, PHOTOGRAPHS, LightRecipe, ModelRecipe, architecture_name, recipe_of
from engine.learned.subject import OfLight
from engine.learned.trainer import Trainer
from engine.learned.transform import LappedTransform
from engine.learned.warm import begin

CPU = torch.device("cpu")
PLAIN = LightRecipe(structure=0, gradient=0, lighting=0)


def patch(side: int = 64) -> torch.Tensor:
    """1×4×side×side: a ramp of four stops, the left half of which does not count."""
    stops = torch.linspace(-2, 2, side).expand(1, 3, side, side)
    counts = torch.ones(1, 1, side, side)
    counts[..., : side // 2] = 0
    return torch.cat([as_codes(stops), counts], 1)


def off(by: torch.Tensor) -> torch.Tensor:
    """The ramp with errors in stops."""
    return patch()[:, :3] + by * UNITS / 255


def trainer(folder: Path) -> Trainer:
    light = LIGHT_RECIPE.light
    assert light is not None
    folder.mkdir(exist_ok=True)
    return Trainer(LIGHT_RECIPE, OfLight(light_maps(), LIGHT_RECIPE, light, CPU), folder)


# --- What errors cost ---------------------------------------------------------------------------


def test_stops_become_codes_and_back() -> None:
    stops = torch.tensor([-10.0, 0.0, 6.0])
    assert torch.allclose(as_stops(as_codes(stops)), stops, atol=1e-5)


def test_an_error_is_worth_its_square_where_texels_count_and_nothing_elsewhere() -> None:
    error = torch.zeros(1, 3, 64, 64)
    error[..., :32] = 5.0
    assert squared_light_error(off(error), patch()).item() == pytest.approx(0, abs=1e-4)
    assert distortion(off(error), patch(), LightRecipe()).item() == pytest.approx(0, abs=1e-3)
    error[..., 32:] = 1 / UNITS  # one unit
    assert distortion(off(error), patch(), PLAIN).item() == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("part", ["structure", "gradient", "lighting"])
def test_every_part_of_the_distortion_costs_something_and_has_a_gradient(part: str) -> None:
    torch.manual_seed(0)
    picture = off(0.05 * torch.randn(1, 3, 64, 64)).requires_grad_(True)
    whole = distortion(picture, patch(), LightRecipe(**{"structure": 0, "gradient": 0, "lighting": 0, part: 1.0}))
    cost = (whole - distortion(picture, patch(), PLAIN)).sum()
    cost.backward()
    assert cost.item() > 0
    assert picture.grad is not None and torch.isfinite(picture.grad).all()
    assert picture.grad[..., 32:].abs().max() > 0
    assert picture.grad[..., :31].abs().max() == 0


def test_contours_cost_more_than_noise_of_the_same_energy() -> None:
    """Two per cent of light as steps along columns, eight texels wide, and as noise."""
    torch.manual_seed(0)
    steps = (torch.arange(64) // 8 % 2 * 2 - 1).expand(1, 3, 64, 64) * 0.03
    noise = torch.sign(torch.randn(1, 1, 64, 64)).expand(1, 3, 64, 64) * 0.03
    contours, grain = (distortion(off(each), patch(), LightRecipe()).item() for each in (steps, noise))
    assert contours > 1.1 * grain


def test_light_that_is_off_everywhere_costs_more_than_light_that_is_off_here_and_there() -> None:
    recipe = LightRecipe(structure=0, gradient=0)
    board = ((torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2 - 1).expand(1, 3, 64, 64) * 0.02
    there, everywhere = (distortion(off(each), patch(), recipe).item() for each in (board, board.abs()))
    assert everywhere > 1.2 * there


# --- Recipes and training -----------------------------------------------------------------------


def test_a_recipe_of_light_says_so_and_comes_back_from_a_checkpoint() -> None:
    content = LIGHT_RECIPE.to_dict()
    assert recipe_of(content) == LIGHT_RECIPE
    assert architecture_name(content) == LIGHT_RECIPE.architecture == LIGHT
    assert architecture_name({**content, "light": None}) == PHOTOGRAPHS


def test_the_last_slice_may_be_narrower_and_no_more_can_be_looked_at_than_there_is() -> None:
    assert [LIGHT_RECIPE.model.widths(number) for number in range(3)] == [(8, 8), (8, 8), (6, 4)]
    with pytest.raises(UsageError, match="cannot be looked at"):
        ModelRecipe(seen=300)


def test_some_steps_on_light_lower_the_cost_and_a_resumed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    first, resumed = trainer(tmp_path / "a"), trainer(tmp_path / "b")
    first.start()
    first._step()
    before = first.step.loss
    resumed.restore(first.state())
    for _ in range(6):
        first._step()
    assert before is not None and first.step.loss is not None and first.step.loss < before
    resumed._step()
    assert resumed.progress.steps == 2


def test_a_point_is_log2_psnr_over_what_counts() -> None:
    model = trained_looking_model(0, LIGHT_RECIPE)
    low, high = (estimate_light(model, patch(), rate, LightRecipe()) for rate in (0.0, 2.0))
    assert low.bpp < high.bpp and low.psnr < high.psnr and high.psnr > 30
    blind = torch.cat([patch()[:, :3], torch.zeros(1, 1, 64, 64)], 1)
    assert estimate_light(model, blind, 0.0, LightRecipe()).psnr > 100


def test_a_transform_that_is_not_learned_is_known_by_the_coefficients_that_it_keeps() -> None:
    transform = LappedTransform(40, 1.3, learned=False)
    transform.fit(torch.randn(2, 3, 64, 64) * 40, first=(7, 3))
    assert transform.kept[:2].tolist() == [7, 3]
    assert set(transform.state_dict()) == {"kept", "deviation"}
    other = LappedTransform(40, 1.3, learned=False)
    other.load_state_dict(transform.state_dict())
    assert torch.equal(other.analysis_matrix, transform.analysis_matrix)


def test_all_coefficients_of_a_block_give_it_back() -> None:
    transform = LappedTransform(768, 1.3, learned=False)
    picture = torch.randn(1, 3, 64, 64) * 60
    assert torch.allclose(transform.synthesis(transform.analysis(picture)), picture, atol=1e-3)


def test_a_run_begins_with_the_networks_of_a_model_within_its_own(tmp_path: Path) -> None:
    weights = stored.read(tiny_weights(tmp_path))
    started = trainer(tmp_path / "run")
    started.start(weights)
    own, theirs = started.model.state_dict(), tensors_of(weights)
    assert started.progress.static_until == LIGHT_RECIPE.training.static_steps
    assert torch.allclose(own["synthesis.enter.weight"], theirs["synthesis.enter.weight"])
    assert own["log_gain.table"].shape == (3, 768)
    order = started.model.transform.kept[:24].tolist()
    assert len(set(order)) == 24
    again = trainer(tmp_path / "again")
    again.start(stored.read(tiny_light_weights(tmp_path)))
    assert again.progress.static_until == 0, "the same model goes on at once"


def test_weights_of_quite_another_model_are_refused(tmp_path: Path) -> None:
    weights = stored.read(tiny_weights(tmp_path))
    model = trainer(tmp_path / "run").model
    model.recipe = ModelRecipe()
    with pytest.raises(UsageError, match="another model"):
        begin(model, weights, lambda: torch.zeros(1, 3, 64, 64))
