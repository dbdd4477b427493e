"""The stock schedulers of diffusers that draw, draw over and inpaint rightly with flow matching."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from diffusers import DPMSolverMultistepScheduler, DPMSolverSinglestepScheduler, UniPCMultistepScheduler

_FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}

#: Their names for the chart, and how each is made. ``euler`` is DPM-Solver++ of the first order: for a flow the same.
#: ``singlestep`` asks the denoiser as often as the others; it only groups the steps by two.
#: ``late`` ones take most of their steps while there is much noise, and leave the last third or more of it to one step,
#: which ends in the mean of what the picture may be instead of in one such picture: smoother, and no less right.
#: ``steps_offset`` plays no part in flow matching; at 1 the pipelines do not warn.
SOLVERS: Mapping[str, Callable[..., Any]] = {
    "dpm++": lambda **more: DPMSolverMultistepScheduler(**_FLOW, steps_offset=1, **more),
    "unipc": lambda **more: UniPCMultistepScheduler(**_FLOW, steps_offset=1, **more),
    "singlestep": lambda **more: DPMSolverSinglestepScheduler(**_FLOW, **more),
    "late dpm++": lambda **more: DPMSolverMultistepScheduler(**_FLOW, steps_offset=1, flow_shift=3.0, **more),
    "late unipc": lambda **more: UniPCMultistepScheduler(**_FLOW, steps_offset=1, flow_shift=3.0, **more),
    "euler": lambda **more: DPMSolverMultistepScheduler(**_FLOW, steps_offset=1, solver_order=1, **more),
}


def solver(name: str = "dpm++", **changes: Any) -> Any:
    """A scheduler of ``SOLVERS``, with changed settings.

    Given the exact flow towards one picture, each ends within .01 of it, and the kept part of an inpainted latent has
    at every step the noise that its time wants. DEISMultistep and SASolver know flow matching too but end far off, and
    FlowMatchEuler lacks the ``scale_model_input`` and ``add_noise`` that the pipelines of Stable Diffusion call.
    """
    return SOLVERS[name](**changes)
