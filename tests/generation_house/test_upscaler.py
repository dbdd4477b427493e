"""The enlarger: exact sizes, no ringing, no bands, the same bytes for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from proofsheet.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from generation.house import HouseUpscaler  # noqa: E402
from generation.house.upscaler import dithered, resampled  # noqa: E402

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def enlarger() -> HouseUpscaler:
    """As it is before training."""
    torch.manual_seed(0)
    return HouseUpscaler().eval()


def array(picture: Image.Image) -> NDArray[np.float64]:
    return np.asarray(picture, dtype=np.float64)


@pytest.mark.parametrize(("width", "height"), [(300, 250), (64, 64), (17, 400), (1, 1)])
def test_pictures_have_the_size_asked_for(enlarger: HouseUpscaler, width: int, height: int) -> None:
    found = enlarger.enlarge(torch.zeros(2, 3, 24, 32), width, height, seed=1)
    assert [(picture.size, picture.mode) for picture in found] == [((width, height), "RGB")] * 2


def test_a_size_of_nothing_is_refused(enlarger: HouseUpscaler) -> None:
    with pytest.raises(InputError, match="0 × 5"):
        enlarger.enlarge(torch.zeros(1, 3, 8, 8), 0, 5)


def test_the_same_seed_gives_the_same_bytes(enlarger: HouseUpscaler) -> None:
    pictures = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(2)) * 2 - 1
    one, two, other = (array(enlarger.enlarge(pictures, 50, 40, seed=seed)[0]) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert np.abs(one - other).max() <= 3


@pytest.mark.parametrize("size", [(96, 96), (256, 256), (411, 173)])
def test_a_step_does_not_ring(enlarger: HouseUpscaler, size: tuple[int, int]) -> None:
    step = torch.full((1, 3, 32, 32), -0.5)
    step[..., 13:] = 0.5
    values = array(enlarger.enlarge(step, *size, seed=0)[0])
    assert values.min() >= 127.5 * 0.5 - 2
    assert values.max() <= 127.5 * 1.5 + 2


def test_plain_enlarging_leaves_no_blocks(enlarger: HouseUpscaler) -> None:
    columns = torch.linspace(-0.8, 0.8, 32)[None, None, None, :].expand(1, 3, 32, 32)
    with torch.no_grad():
        row = enlarger(columns)[0, 0, 64, 8:-8]
    steps = row.diff()
    assert float(steps.min()) > 0.5 * float(steps.mean())
    assert float(steps.max()) < 1.5 * float(steps.mean())


def longest_run(values: NDArray[np.float64]) -> int:
    """The longest run of equal values along a row."""
    longest = run = 1
    for same in np.diff(values) == 0:
        run = run + 1 if same else 1
        longest = max(longest, run)
    return longest


def test_noise_takes_the_place_of_bands(enlarger: HouseUpscaler) -> None:
    slow = torch.linspace(0.0, 6 / 127.5, 64)[None, None, None, :].expand(1, 3, 16, 64)
    enlarged = array(enlarger.enlarge(slow, 512, 128, seed=5)[0])[..., 0]
    ideal = resampled(slow, 512, 128)[0, 0].numpy() * 127.5 + 127.5
    assert longest_run(np.rint(ideal)[64].astype(np.float64)) > 60
    assert longest_run(enlarged[64]) < 20
    assert np.abs(enlarged.mean(axis=0) - ideal.mean(axis=0)).max() < 0.5


def test_noise_keeps_the_mean_and_stays_small() -> None:
    values = np.full((200, 200, 3), 99.3, np.float32)
    found = dithered(values, np.random.default_rng(0))
    assert found.mean() == pytest.approx(99.3, abs=0.02)
    assert set(np.unique(found)) <= {98, 99, 100, 101}


def test_tiles_join_without_seams(enlarger: HouseUpscaler, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(4)
    trained = HouseUpscaler(width=8, blocks=2).eval()
    for value in trained.parameters():
        torch.nn.init.normal_(value, std=0.1)
    picture = torch.rand(1, 3, 70, 90) * 2 - 1
    with torch.no_grad():
        whole = trained._tiled(picture)
        monkeypatch.setattr("generation.house.upscaler._LARGEST", 0)
        monkeypatch.setattr("generation.house.upscaler._TILE", 40)
        tiled = trained._tiled(picture)
    assert whole.shape == (1, 3, 280, 360)
    assert torch.allclose(whole, tiled, atol=1e-4)


def test_weights_come_back_from_half_precision(tmp_path: Path) -> None:
    network = HouseUpscaler(width=8, blocks=1)
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.1)
    picture = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        before = network(picture)
        network.half().save_pretrained(tmp_path)
        after = HouseUpscaler.from_pretrained(tmp_path, dtype=torch.float32)(picture)
    assert torch.allclose(before, after, atol=0.02)
    assert not torch.allclose(after, resampled(picture, 64, 64), atol=0.02)
    assert sum(value.numel() for value in HouseUpscaler().parameters()) <= 600_000
