"""The optimiser for matrices: nearly orthogonal steps, and torch's own answer where that has one."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch")

from training.muon import Muon, orthogonal  # noqa: E402


@pytest.mark.parametrize("shape", [(3, 20, 60), (2, 60, 20), (1, 16, 16)])
def test_singular_values_come_near_one(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found = torch.linalg.svdvals(orthogonal(matrices))
    assert found.shape == (shape[0], min(shape[1:]))
    assert 0.4 < float(found.min()) <= float(found.max()) < 1.3
    # The directions stay: what it makes is the matrix with its singular values replaced.
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    core = left.transpose(1, 2) @ orthogonal(matrices) @ right.transpose(1, 2)
    off = core - torch.diag_embed(core.diagonal(dim1=1, dim2=2))
    assert float(off.abs().max()) < 1e-3


def test_it_steps_as_torchs_own_does() -> None:
    def trained(make: type[torch.optim.Optimizer], **settings: object) -> torch.Tensor:
        torch.manual_seed(3)
        weight = torch.nn.Parameter(torch.randn(24, 40))
        target = torch.randn(24, 40)
        optimiser = make([weight], lr=0.02, weight_decay=0.01, **settings)
        for _ in range(4):
            optimiser.zero_grad()
            (weight - target).square().sum().backward()
            optimiser.step()
        return weight.detach()

    ours = trained(Muon)
    theirs = trained(torch.optim.Muon, adjust_lr_fn="match_rms_adamw")
    start = 4 * 0.02 * 0.2 * 40**0.5  # how far they may have gone
    assert float((ours - theirs).abs().max()) < 0.1 * start  # theirs is rounded to bfloat16


def test_it_learns_and_leaves_what_has_no_gradient() -> None:
    torch.manual_seed(0)
    weight, idle = torch.nn.Parameter(torch.zeros(8, 12)), torch.nn.Parameter(torch.ones(4, 4))
    target = torch.randn(8, 12)
    optimiser = Muon([weight, idle], lr=0.2)
    first = float((weight - target).detach().square().mean())
    for _ in range(60):
        optimiser.zero_grad()
        (weight - target).square().mean().backward()
        optimiser.step()
    assert float((weight - target).detach().square().mean()) < 0.1 * first
    assert torch.equal(idle, torch.ones(4, 4))


def test_filters_are_turned_as_the_matrices_they_are() -> None:
    torch.manual_seed(0)
    start, gradient = torch.randn(6, 4, 3, 3), torch.randn(6, 4, 3, 3)
    filters, matrix = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.flatten(1).clone())
    filters.grad, matrix.grad = gradient, gradient.flatten(1)
    Muon([filters], lr=0.1).step()
    Muon([matrix], lr=0.1).step()
    assert not torch.equal(filters, start)
    assert torch.allclose(filters.flatten(1), matrix)
