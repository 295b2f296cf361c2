"""Checkpoints of published models: what is read, what is refused, and that both ends of a stream agree."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_checkpoint import tiny_checkpoint, tiny_imported, tiny_state

from engine import registry
from engine.cli import main
from engine.codec import Ctx
from engine.errors import CorruptStream, EngineError, LimitExceeded, Unsupported, UsageError
from engine.image import Image
from engine.learned.card import card_path
from engine.learned.frequencies import frequencies
from engine.learned.published import exact, freezing, networks, passage, state, tables, weights
from engine.learned.published.architecture import ARCHITECTURES
from engine.learned.published.importing import Wanted, import_checkpoint
from engine.learned.published.symbols import SymbolCoder, _wavefront
from engine.native.latent import SYMBOL_MAX

CTX = Ctx()
NAMES = list(ARCHITECTURES)


def picture(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    waves = 120 + 70 * np.sin(rows[..., None] / (5, 8, 13)) * np.cos(columns[..., None] / (9, 6, 11))
    return np.rint(waves + np.random.default_rng(1).normal(0, 6, waves.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own weights: none."""
    from engine.learned import zoo

    monkeypatch.delenv("RATESCOPE_WEIGHTS", raising=False)
    monkeypatch.setattr(zoo, "user_folder", lambda: tmp_path)
    return tmp_path


# --- reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_architecture_is_told_from_names_and_shapes(name: str) -> None:
    found = state.published(tiny_state(name))
    assert found.shape.architecture.name == name
    assert (found.shape.width, found.shape.latent) == ((8, 8) if name.startswith("cheng") else (12, 48))


def test_names_of_earlier_versions_and_of_parallel_training_are_known() -> None:
    new = tiny_state("cheng2020-anchor")
    old = {
        "module."
        + name.replace(".matrices.", "._matrix").replace(".biases.", "._bias").replace(".factors.", "._factors.")
        .replace(".skip.", ".downsample."): tensor
        for name, tensor in new.items()
    }  # fmt: skip
    assert old.keys() != new.keys()
    read, wanted = state.published(old).weights, state.published(new).weights
    assert read.keys() == wanted.keys() and all((read[name] == wanted[name]).all() for name in read)


def test_what_a_checkpoint_lacks_or_has_too_much_is_named() -> None:
    whole = tiny_state("bmshj2018-hyperprior")
    with pytest.raises(CorruptStream, match=r"has no 'h_a\.2\.bias'"):
        state.published({name: tensor for name, tensor in whole.items() if name != "h_a.2.bias"})
    with pytest.raises(CorruptStream, match=r"nobody knows its 'g_b\.weight'"):
        state.published(whole | {"g_b.weight": torch.zeros(3)})
    with pytest.raises(CorruptStream, match=r"'h_a\.2\.bias' is \(3,\), not \(12,\)"):
        state.published(whole | {"h_a.2.bias": torch.zeros(3)})
    with pytest.raises(CorruptStream, match="no numbers"):
        state.published(whole | {"h_a.2.bias": torch.full((12,), torch.nan)})
    with pytest.raises(CorruptStream, match="no analysis network"):
        state.published({"weight": torch.zeros(3)})


def test_another_arithmetic_is_refused_and_tables_of_others_are_left_out() -> None:
    whole = tiny_state("mbt2018")
    extra = {"g_a.1.beta_reparam.pedestal": torch.tensor([2.0**-36]), "gaussian_conditional._offset": torch.zeros(64)}
    assert state.published(whole | extra).weights.keys() == state.published(whole).weights.keys()
    with pytest.raises(CorruptStream, match="another arithmetic"):
        state.published(whole | {"g_a.1.beta_reparam.pedestal": torch.tensor([0.1])})
    with pytest.raises(CorruptStream, match="12 positions"):
        state.published(whole | {"context_prediction.mask": torch.ones(96, 48, 5, 5)})


def test_a_checkpoint_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"g_a.0.weight": Path("/")}, path)
    with pytest.raises(CorruptStream, match="may run code") as caught:
        state.read(path)
    assert caught.value.path == path


def test_damaged_and_missing_checkpoints_are_plain_errors(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path, "bmshj2018-factorized")
    data = path.read_bytes()
    for rubbish in (b"", b"rubbish", data[: len(data) // 2], data[:-40]):
        path.write_bytes(rubbish)
        with pytest.raises(CorruptStream):
            state.read(path)
    path.unlink()
    with pytest.raises(EngineError, match="cannot be read"):
        state.read(path)


def test_a_checkpoint_of_training_and_safetensors_are_read(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    whole = tiny_state("bmshj2018-factorized")
    torch.save({"epoch": 3, "state_dict": whole, "loss": torch.tensor(1.0)}, tmp_path / "best.pth.tar")
    save_file(whole, tmp_path / "best.safetensors")
    for name in ("best.pth.tar", "best.safetensors"):
        assert state.read(tmp_path / name).shape.latent == 48


# --- arithmetic -------------------------------------------------------------------------------------


@given(st.integers(0, 2**31), st.sampled_from([1, 3, 5]), st.booleans())
@settings(max_examples=15)
def test_sums_are_exact_whatever_the_values(seed: int, kernel: int, doubling: bool) -> None:
    """As by integers of 64 bits, for activations at their limits."""
    draw = np.random.default_rng(seed)
    integers = exact.codes_of(
        "x", draw.normal(0, 10 ** draw.uniform(-4, 2), (4, 3, kernel, kernel)), draw.normal(0, 9, 4)
    )
    values = draw.choice([-exact.LIMIT, exact.LIMIT, 1, -77777], (4, 5, 3)).astype(np.float64)
    layer = exact.ExactLayer(integers, "x", 3, 4, kernel)
    found = layer.doubled(values, CTX.check) if doubling else layer.convolved(values, CTX.check)
    codes, given_values = torch.from_numpy(integers["x.weight"]).long(), torch.from_numpy(values).long()
    taken = given_values.permute(2, 0, 1)[None]
    if doubling:
        if kernel == 1:
            return
        wide = torch.zeros(1, 3, 8, 10, dtype=torch.long)
        wide[:, :, ::2, ::2] = taken
        wide = torch.nn.functional.pad(wide, (kernel // 2,) * 4)
        codes = codes.flip(2, 3)
    else:
        wide = torch.nn.functional.pad(taken, (kernel // 2,) * 4)
    windows = wide.unfold(2, kernel, 1).unfold(3, kernel, 1)
    expected = torch.einsum("bchwkl,ockl->hwo", windows, codes).numpy()
    assert np.abs(expected).max() < 1 << 53 and (found == expected).all()


def test_weights_that_are_too_large_or_tampered_with_are_refused() -> None:
    with pytest.raises(EngineError, match="too large"):
        exact.codes_of("x", np.full((1, 1, 1, 1), 1e7), np.zeros(1))
    integers = exact.codes_of("x", np.ones((1, 1, 1, 1)), np.zeros(1))
    for part, bad in (("weight", np.full((1, 1, 1, 1), 1 << 30, np.int32)), ("bias", np.full(1, -(1 << 63)))):
        with pytest.raises(CorruptStream, match="not be exact"):
            exact.ExactLayer(integers | {f"x.{part}": bad}, "x", 1, 1, 1)


@pytest.mark.parametrize("name", [name for name in NAMES if ARCHITECTURES[name].hyper])
def test_exact_networks_say_what_the_float_ones_say(name: str) -> None:
    found = state.published(tiny_state(name))
    coder = SymbolCoder(found.shape, freezing.freeze(found.shape, found.weights))
    model = passage.model_of(found.shape, found.weights)
    hyper = np.random.default_rng(2).integers(-20, 20, (2, 3, found.shape.width)).astype(np.int32)
    medians = found.weights["entropy_bottleneck.quantiles"][:, 0, 1]
    wanted = model.h_s(torch.from_numpy(hyper + medians).permute(2, 0, 1)[None].float())[0].permute(1, 2, 0).numpy()
    assert np.abs(coder.parameters(hyper, CTX) / exact.STEPS - wanted).max() < 1e-4


def test_a_wavefront_meets_every_position_after_all_that_it_is_predicted_from() -> None:
    for height, width in ((1, 1), (1, 9), (7, 1), (5, 2), (4, 11)):
        when = np.full((height, width), -1)
        for number, (rows, columns) in enumerate(_wavefront(height, width)):
            assert (when[rows, columns] == -1).all()
            when[rows, columns] = number
        assert (when >= 0).all()
        for row, column in np.ndindex(height, width):
            before = when[max(row - 2, 0) : row, max(column - 2, 0) : column + 3]
            assert (before < when[row, column]).all() and (
                when[row, max(column - 2, 0) : column] < when[row, column]
            ).all()


def test_the_density_of_a_channel_is_what_its_network_says() -> None:
    """Masses sum to 1 and are those of the density by the float formula."""
    found = state.published(tiny_state("bmshj2018-factorized")).weights
    part = {name: [found[f"entropy_bottleneck.{name}.{n}"] for n in range(count)]
            for name, count in (("matrices", 5), ("biases", 5), ("factors", 4))}  # fmt: skip
    medians = found["entropy_bottleneck.quantiles"][:, 0, 1]
    for channel, (masses, first) in enumerate(tables.factorised(**part, medians=medians)[:5]):
        assert masses.sum() == pytest.approx(1, abs=1e-9) and masses[-1] < 2**-13 and first <= 0
        edges = torch.arange(first, first + len(masses)).double() - 0.5 + float(medians[channel])
        values = edges[None]
        for n in range(5):
            matrix, bias = (torch.from_numpy(part[p][n][channel]).double() for p in ("matrices", "biases"))
            values = torch.nn.functional.softplus(matrix) @ values + bias
            if n < 4:
                values = values + torch.tanh(torch.from_numpy(part["factors"][n][channel]).double()) * torch.tanh(
                    values
                )
        assert np.diff(torch.sigmoid(values[0]).numpy()) == pytest.approx(masses[:-1], abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=3000))
@settings(max_examples=30)
def test_frequencies_are_whole_positive_and_complete(masses: list[float]) -> None:
    given_masses = np.array(masses) + 1e-12
    found = frequencies(given_masses)
    assert found.sum() == 1 << 16 and found.min() >= 1
    assert np.abs(found - given_masses / given_masses.sum() * 65536).max() <= 1 + len(masses)


# --- streams ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_symbols_come_back_and_damage_is_noticed(name: str) -> None:
    found = state.published(tiny_state(name))
    coder = SymbolCoder(found.shape, freezing.freeze(found.shape, found.weights))
    draw = np.random.default_rng(3)
    latent = draw.normal(0, 4, (8, 12, found.shape.latent)).astype(np.float32)
    latent[0, 0, :2] = 1e9, -1e9  # beyond what can be coded
    hyper = draw.normal(0, 3, (2, 3, found.shape.width)).astype(np.float32)
    hyper = hyper if ARCHITECTURES[name].hyper else hyper[:0, :0]
    data, coded = coder.encode(latent, hyper, CTX)
    back = coder.decode(data, (8, 12), CTX)
    assert (back.values == coded.values).all() and (back.rows == coded.rows).all() and back.mark == coded.mark
    assert np.abs(coded.symbols).max() == SYMBOL_MAX
    assert np.abs(coded.floats() - latent)[1:].max() < 0.5001
    for place in range(0, len(data), max(1, len(data) // 6)):
        for changed in (data[:place], data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]):
            with pytest.raises(CorruptStream):
                coder.decode(changed, (8, 12), CTX)


PINNED = {
    "bmshj2018-hyperprior": 3288600762,
    "mbt2018-mean": 62816607,
    "mbt2018": 2070571592,
    "cheng2020-attn": 1807925267,
}


@pytest.mark.parametrize("name", PINNED)
def test_symbols_stand_for_the_same_on_every_machine_and_in_every_version(name: str) -> None:
    """The weights are whole numbers of 2⁻¹², so that nothing about them is left to a library."""
    known = state.published(tiny_state(name))
    shape = known.shape
    floats = {
        key: ((np.arange(array.size) * 7919 % 2003 - 1001) / 4096 / (4 if array.ndim == 4 else 1)).reshape(array.shape)
        for key, array in known.weights.items()
    }
    coder = SymbolCoder(shape, freezing.freeze(shape, floats))
    latent = (np.arange(8 * 12 * shape.latent) * 31 % 257 - 128).reshape(8, 12, -1) / np.float32(16)
    hyper = (np.arange(2 * 3 * shape.width) * 17 % 41 - 20).reshape(2, 3, -1) / np.float32(4)
    assert coder.encode(latent, hyper, CTX)[1].checksum == PINNED[name]


@pytest.mark.parametrize("name", ["mbt2018", "cheng2020-attn"])
def test_tiles_make_no_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = state.published(tiny_state(name))
    model = passage.model_of(found.shape, found.weights)
    pixels = picture(448, 64)
    latent, hyper = passage.analyse(model, pixels, CTX)
    shown = passage.render(model, np.rint(latent), CTX)
    monkeypatch.setattr(passage, "TILE", 64)
    tiled, tiled_hyper = passage.analyse(model, pixels, CTX)
    assert tiled == pytest.approx(latent, abs=1e-4) and tiled_hyper == pytest.approx(hyper, abs=1e-4)
    assert passage.render(model, np.rint(latent), CTX) == pytest.approx(shown, abs=1e-3 * float(np.abs(shown).max()))


@pytest.mark.parametrize("name", ["bmshj2018-factorized", "mbt2018"])
def test_an_imported_checkpoint_is_a_codec(name: str, folder: Path) -> None:
    tiny_imported(folder, name)
    codec = registry.codec(f"cai-{name}")
    assert codec.info.id in registry.codec_ids() and codec.available() is None and codec.info.rate_param is None
    image = Image(picture(61, 83))
    data = codec.encode(image, {}, CTX).data
    back = registry.codec("compressai").decode(data, CTX)
    assert back.pixels.shape == image.pixels.shape and np.abs(back.pixels.astype(int) - image.pixels).mean() < 16
    assert codec.details(data, CTX)["architecture"] == name and "±1" in codec.model()


def test_checkpoints_of_one_name_are_a_ladder_from_fewest_bits_to_most(folder: Path) -> None:
    tiny_imported(folder, "bmshj2018-factorized", codec="mine", gains=(40, 5))
    codec = registry.codec("mine")
    rate = codec.info.rate_param
    assert rate is not None and (rate.lo, rate.hi, codec.model()) == (
        1,
        2,
        "CPU · 2 checkpoints · pixels ±1",
    )
    image = Image(picture(64, 64))
    sizes = [len(codec.encode(image, {rate.name: rung}, CTX).data) for rung in (1, 2)]
    assert sizes[0] < sizes[1]
    tiny_imported(folder, "bmshj2018-factorized", codec="mine", gains=(5,))
    assert len(weights.ladders(weights.stamp())["mine"]) == 2, "the same checkpoint again is no third one"


def test_a_name_that_is_taken_is_refused(folder: Path) -> None:
    path = tiny_checkpoint(folder, "bmshj2018-factorized")
    for name in ("jpeg", "compressai"):
        with pytest.raises(UsageError, match="name of another codec"):
            import_checkpoint(path, Wanted(name), folder)
    import_checkpoint(path, Wanted("mine"), folder)
    with pytest.raises(UsageError, match="is a codec of bmshj2018-factorized"):
        import_checkpoint(tiny_checkpoint(folder, "cheng2020-anchor"), Wanted("mine"), folder)


def test_a_stream_without_its_checkpoint_says_which_is_missing(folder: Path) -> None:
    (path,) = tiny_imported(folder, "bmshj2018-factorized")
    codec = registry.codec("cai-bmshj2018-factorized")
    data = codec.encode(Image(picture(40, 40)), {}, CTX).data
    name = json.loads(card_path(path).read_text())["digest"][:8]
    card_path(path).unlink()
    assert "cai-bmshj2018-factorized" not in registry.codec_ids()
    with pytest.raises(EngineError, match=f"imported checkpoint {name}, which is not in"):
        codec.decode(data, CTX)


def test_a_card_that_lies_is_left_out(folder: Path) -> None:
    (path,) = tiny_imported(folder, "bmshj2018-factorized")
    card = json.loads(card_path(path).read_text())
    for change in (
        {"width": 1 << 40},
        {"codec": 7},
        {"codec": "../x"},
        {"digest": "12"},
        {"architecture": "vtm"},
        {"width": "12"},
    ):
        card_path(path).write_text(json.dumps(card | change))
        assert "cai-bmshj2018-factorized" not in registry.codec_ids()
    card_path(path).write_text(json.dumps(card | {"tried": {"bpp": float("nan")}}))
    assert "cai-bmshj2018-factorized" in registry.codec_ids()


@pytest.mark.parametrize("name", ["bmshj2018-hyperprior", "mbt2018"])
def test_no_mutated_stream_is_more_than_a_plain_error(name: str, folder: Path) -> None:
    """The checksum of the container is made right again, so that the stream itself is what is read."""
    from engine import container

    tiny_imported(folder, name)
    codec = registry.codec(f"cai-{name}")
    data = codec.encode(Image(picture(40, 40)), {}, CTX).data
    payload = container.read(data).sections[container.Section.COMPRESSAI]
    header = container.read(data).picture
    draw = np.random.default_rng(4)
    for _ in range(40):
        mutant = bytearray(payload)
        for place in draw.integers(0, len(payload), draw.integers(1, 4)):
            mutant[place] = draw.integers(256)
        cut = bytes(mutant)[: int(draw.integers(1, 2 * len(mutant)))]
        try:
            codec.decode(container.write("compressai", header, {container.Section.COMPRESSAI: cut}), CTX)
        except (CorruptStream, Unsupported, LimitExceeded):
            continue
        except EngineError as error:
            assert "imported checkpoint" in error.message
        else:
            assert cut == payload


def test_models_of_every_architecture_run_on_no_particular_device() -> None:
    """On torch's meta device, where a tensor made elsewhere fails."""
    for name in NAMES:
        shape = state.published(tiny_state(name)).shape
        with torch.device("meta"):
            model = networks.PublishedModel(shape)
        passed = model(torch.empty(1, 3, 64, 128, device="meta"))
        assert passed.picture.shape == (1, 3, 64, 128) and passed.picture.device.type == "meta"


def test_the_command_imports_shows_and_verifies(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.learned.published import peer

    monkeypatch.setattr(peer, "find_spec", lambda _name: None)  # where it is, another test compares with it
    files = [str(tiny_checkpoint(folder, "bmshj2018-factorized", gain=gain)) for gain in (5, 40)]
    about = ["--id", "mine", "--label", "My model", "--licence", "MIT", "--source", "a paper"]
    assert main(["models", "import", *files, *about, "--json"]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert (answer["codecs"], answer["compared"], len(answer["checkpoints"])) == (["mine"], False, 2)
    assert "not compared with the original: compressai is not installed" in captured.err
    card = answer["checkpoints"][0]
    assert (card["licence"], card["source"]["from"], card["source"]["file"]) == ("MIT", "a paper", Path(files[0]).name)
    assert registry.codec("mine").info.label == "My model"
    name = Path(card["file"]).stem
    assert main(["models", "show", name]) == 0 and "bmshj2018-factorized" in capsys.readouterr().out
    assert main(["models", "verify", name]) == 0 and "whole and working" in capsys.readouterr().out
    assert main(["models", "import", files[0], "--verify"]) == 1
    assert "nothing to compare with" in capsys.readouterr().err
