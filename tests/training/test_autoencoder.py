"""The autoencoder: as good as principal components before training, better after; kept in half precision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from proofsheet.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from generation.house import HouseAutoencoder  # noqa: E402
from generation.house.autoencoder import PATCH, without_seams  # noqa: E402
from training.autoencoder import (  # noqa: E402
    as_tensor,
    pick,
    polish_decoder,
    reconstruction_quality,
    shaken,
    train_autoencoder,
)
from training.budget import Budget, Training  # noqa: E402

pytestmark = pytest.mark.models

SMALL: dict[str, Any] = {
    "latent_channels": 8,
    "block_out_channels": (4, 8, 8, 8),
    "encoder_blocks": (1, 1),
    "decoder_blocks": (1, 1, 1),
}


def drawn(count: int, height: int = 32, width: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures of a coloured disc before a gradient."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    pictures = []
    for _ in range(count):
        sky = rng.uniform(0, 255, 3) * (y / height)[..., None] + rng.uniform(0, 255, 3) * (1 - y / height)[..., None]
        inside = (x - rng.uniform(0, width)) ** 2 + (y - rng.uniform(0, height)) ** 2 < rng.uniform(4, 12) ** 2
        pictures.append(np.where(inside[..., None], rng.uniform(0, 255, 3), sky))
    return np.stack(pictures).round().astype(np.uint8)


@dataclass(frozen=True)
class Drawn:
    """A shard of drawn pictures."""

    images: NDArray[np.uint8]


class DrawnData:
    """A stand-in for the rendered data: squares and a wider shape."""

    def shards(self, split: str) -> list[Drawn]:
        return [Drawn(drawn(48)), Drawn(drawn(16, 16, 64, seed=5))]


class Silence:
    """Hears how far training is and keeps the shares."""

    def __init__(self) -> None:
        self.shares: list[float] = []

    def step(self, share: float, text: str = "") -> None:
        self.shares.append(share)


def numpy_components(images: NDArray[np.uint8], channels: int) -> float:
    """Mean PSNR in dB of the pictures through that many principal components of their 8 × 8 patches."""
    count, height, width, _ = images.shape
    values = images.astype(np.float64) / 127.5 - 1
    grid = values.reshape(count, height // PATCH, PATCH, width // PATCH, PATCH, 3)
    patches = grid.transpose(0, 1, 3, 2, 4, 5).reshape(-1, 3 * PATCH**2)
    middle = patches.mean(axis=0)
    axes = np.linalg.svd(patches - middle, full_matrices=False)[2][:channels]
    fault = ((patches - middle) @ axes.T @ axes + middle - patches).reshape(count, -1)
    return float(np.mean(10 * np.log10(4 / np.square(fault).mean(axis=1))))


def test_it_starts_as_good_as_principal_components() -> None:
    images = drawn(32)
    model = HouseAutoencoder(**SMALL)
    untouched = reconstruction_quality(model, images)["mean"]
    model.start_from([as_tensor(images)])
    quality = reconstruction_quality(model, images, ["disc"] * 32)
    assert quality["mean"] > numpy_components(images, 8) - 0.1
    assert quality["mean"] > untouched + 10
    assert quality["by_group"]["disc"] == pytest.approx(quality["mean"])
    assert quality["least"] <= quality["worst_tenth"] <= quality["mean"]


def test_the_settled_latent_has_unit_spread_and_decodes_alike() -> None:
    pictures = as_tensor(drawn(16))
    model = HouseAutoencoder(**SMALL)
    model.start_from([pictures])
    with torch.no_grad():
        before = without_seams(model(pictures))
        model.settle([pictures])
        latent = model.encode(pictures).latent_dist
        assert torch.equal(latent.sample(torch.Generator()), latent.mode())
        assert float(latent.mode().square().mean().sqrt()) == pytest.approx(1, abs=0.02)
        assert float(latent.mode().mean(dim=(0, 2, 3)).abs().max()) < 1e-3
        after = model.decode(latent.mode(), return_dict=False, generator=torch.Generator())[0]
    assert torch.allclose(before, after, atol=1e-4)


@pytest.mark.parametrize(("width", "height"), [(112, 144), (96, 160), (256, 64), (16, 16), (24, 8)])
def test_any_shape_of_whole_patches_goes_through(width: int, height: int) -> None:
    model = HouseAutoencoder()
    with torch.no_grad():
        latent = model.encode(torch.zeros(1, 3, height, width)).latent_dist.mode()
        assert latent.shape == (1, 16, height // 8, width // 8)
        assert model.decode(latent).sample.shape == (1, 3, height, width)


def test_small_steps_between_patches_become_slopes_and_edges_stay() -> None:
    levels = torch.tensor([0.0, 0.03, -0.02, 0.9])  # the last step is an edge
    picture = levels.repeat_interleave(PATCH).expand(1, 3, 2 * PATCH, 4 * PATCH).clone()
    found = without_seams(picture)
    assert found.shape == picture.shape
    row = found[0, 0, 5]
    assert float((row[1:] - row[:-1])[: 3 * PATCH - 1].abs().max()) < 0.6 * 0.05, "steps are slopes"
    assert float(row[3 * PATCH] - row[3 * PATCH - 1]) == pytest.approx(0.92, abs=0.01), "the edge is as it was"
    assert float(found.mean()) == pytest.approx(float(picture.mean()), abs=1e-4)
    assert torch.allclose(without_seams(picture.transpose(2, 3)), found.transpose(2, 3), atol=1e-6)
    even = torch.full((1, 3, 8, 8), 0.2)
    assert torch.equal(without_seams(even), even)


def test_a_broken_patch_is_refused_by_size() -> None:
    with pytest.raises(InputError, match="100 × 64"):
        HouseAutoencoder(**SMALL).encode(torch.zeros(1, 3, 64, 100))


def test_half_precision_on_disk_keeps_the_pictures(tmp_path: Path) -> None:
    images = drawn(8)
    model = HouseAutoencoder(**SMALL)
    model.start_from([as_tensor(images)])
    model.settle([as_tensor(images)])
    with torch.no_grad():
        before = model(as_tensor(images))
        model.half().save_pretrained(tmp_path)
        again = HouseAutoencoder.from_pretrained(tmp_path, dtype=torch.float32)
        assert again.dtype == torch.float32
        assert again.config.latent_channels == 8
        assert (again(as_tensor(images)) - before).abs().max() < 0.02
    parameters = sum(value.numel() for value in HouseAutoencoder().parameters())
    assert parameters <= 1_500_000


def test_training_betters_the_components_and_goes_on_exactly(tmp_path: Path) -> None:
    section = {"seconds": 1e6, "steps": 40, "rate": 2e-3, "batch": 1, "warm_steps": 5, "decay": 0.8, "channels": 4}
    data: Any = DrawnData()
    heard: Any = Silence()
    images = drawn(24, seed=9)
    torch.manual_seed(1)
    train_autoencoder({"autoencoder": section}, data, tmp_path, heard)
    trained = HouseAutoencoder.from_pretrained(tmp_path / "autoencoder", dtype=torch.float32)
    start = HouseAutoencoder(latent_channels=4)
    start.start_from([as_tensor(shard.images) for shard in data.shards("train")])
    assert reconstruction_quality(trained, images)["mean"] > reconstruction_quality(start, images)["mean"]
    assert heard.shares == sorted(heard.shares)
    assert heard.shares[-1] == 1.0


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    def weights(stops: tuple[int, ...], folder: Path) -> Any:
        for stop in stops:
            torch.manual_seed(3)
            network = torch.nn.Linear(4, 1)
            training = Training(network, Budget(seconds=1e9, steps=20, rate=1e-2), folder)
            training.resume()

            def loss_of(step: int, network: Any = network, training: Any = training, stop: int = stop) -> Any:
                if step == stop:
                    training.save()
                    raise KeyboardInterrupt
                rng = np.random.default_rng([0, step])
                return network(torch.from_numpy(rng.normal(size=(8, 4))).float()).square().mean()

            silence: Any = Silence()
            if stop < 20:
                with pytest.raises(KeyboardInterrupt):
                    training.run(loss_of, silence)
            else:
                training.run(loss_of, silence)
        return training.average.weight

    assert torch.equal(weights((20,), tmp_path / "a"), weights((7, 13, 20), tmp_path / "b"))


def test_batches_follow_their_number_and_hold_as_many_pixels() -> None:
    shards: Any = DrawnData().shards("train")
    one, two = (pick(shards, 1, np.random.default_rng([1, 7])) for _ in range(2))
    assert np.array_equal(one, two)
    assert one.shape[0] * one.shape[1] * one.shape[2] == 128 * 128


def test_noise_spares_every_second_latent() -> None:
    raw = torch.ones(4, 8, 4, 4).cumsum(1)
    moved = (shaken(raw, 0.2, np.random.default_rng(0)) - raw).abs().amax(dim=(1, 2, 3))
    assert (moved > 0).tolist() == [False, True, False, True]


def test_the_time_of_an_earlier_run_counts() -> None:
    budget = Budget(seconds=100, steps=1000)
    assert budget.share(10, 50.0) == 0.5
    assert budget.share(900, 50.0) == 0.9
    assert budget.share(0, 200.0) == 1.0
    assert budget.rate_at(500, 0.0) > budget.rate_at(900, 0.0) > budget.rate_at(900, 99.0)


@pytest.mark.slow
def test_the_decoder_gets_better_and_the_latents_stay(tmp_path: Path) -> None:
    section = {"steps": 3, "seconds": 1e6, "batch": 2, "channels": 8, "threads": 1}
    train_autoencoder({"autoencoder": section}, DrawnData(), tmp_path, Silence())  # type: ignore[arg-type]
    images = drawn(24, seed=8)
    before = HouseAutoencoder.from_pretrained(tmp_path / "autoencoder", dtype=torch.float32).eval()
    latents = before.encode(as_tensor(images)).latent_dist.mode()
    quality = reconstruction_quality(before, images)["mean"]
    polish = {**section, "steps": 40, "batch": 4, "rate": 2e-3, "noise": 0.0}
    polish_decoder({"decoder": polish}, DrawnData(), tmp_path, Silence())  # type: ignore[arg-type]
    after = HouseAutoencoder.from_pretrained(tmp_path / "autoencoder", dtype=torch.float32).eval()
    assert torch.equal(after.encode(as_tensor(images)).latent_dist.mode(), latents)
    assert reconstruction_quality(after, images)["mean"] > quality
