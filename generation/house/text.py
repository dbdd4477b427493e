"""The house text tower: CLIP's, which also puts what it makes of the whole text before the states of the words."""

from __future__ import annotations

from typing import Any

from transformers import CLIPTextModel, PreTrainedModel

__all__ = ["HouseTextEncoder", "PreTrainedModel"]  # diffusers looks for the base class beside the class


class HouseTextEncoder(CLIPTextModel):  # type: ignore[misc]
    """transformers' ``CLIPTextModel`` whose first hidden state is the pooled one.

    The stock pipelines of Stable Diffusion hand on the hidden states and leave the pooled output. The state of the
    begin mark is the same for every text, so nothing is lost with it.
    """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """As ``CLIPTextModel`` is called; ``last_hidden_state[:, 0]`` is ``pooler_output``."""
        kwargs["return_dict"] = True
        found = super().forward(*args, **kwargs)
        found.last_hidden_state = found.last_hidden_state.clone()
        found.last_hidden_state[:, 0] = found.pooler_output
        return found
