"""CLIP embeddings through open_clip, from local weights only; the one place that imports torch."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from proofsheet.errors import InputError, require
from scoring.framing import FRAMING, frames
from scoring.neutral import neutral_pictures
from scoring.pieces import split_to_fit
from scoring.precision import AGREEMENT, FULL, HALF, MIXED, agreement, precision_for, quick_at_half
from scoring.weights import LOCAL, weights_of

if TYPE_CHECKING:
    from PIL.Image import Image

_CHECKED = 12  # neutral pictures by which precisions are compared
Vectors = NDArray[np.float32]
Picture: TypeAlias = "Image | Callable[[], Image]"


class Embedder:
    """An open_clip model that turns pictures and phrases into unit vectors.

    Args:
        model: a name open_clip knows, such as ``ViT-B-32``, or ``local-dir:FOLDER`` with ``open_clip_config.json`` and
            ``open_clip_model.safetensors``.
        checkpoint: path of the ``.safetensors`` weights of a named model; not used with a folder.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` …
        precision: ``auto``: the fastest for model and device that ranks pictures as full precision does; or ``fp32``,
            ``pure_bf16``, ``amp_bf16``.
        cache: folder for embeddings, one small file each; in memory only when None.

    Only ``.safetensors`` weights are read, as other formats can run code; nothing is downloaded.

    Raises:
        InputError: model, folder or checkpoint cannot be used; the message says why.
        MissingExtraError: open_clip or torch is not installed.
    """

    def __init__(
        self,
        model: str,
        checkpoint: str = "",
        *,
        device: str = "auto",
        precision: str = "auto",
        cache: Path | None = None,
    ) -> None:
        self._clip = require("open_clip", "to score brand fit")
        self._torch = require("torch", "to score brand fit")
        weights = weights_of(model, checkpoint)
        if device == "auto":
            device = "cuda" if self._torch.cuda.is_available() else "cpu"
        self._device = device
        self.model_name = model
        self.calls = 0  # how many times the picture side of the model was run
        self._precision = FULL if precision == "auto" else precision
        self._model = self._load(model, weights)
        if precision == "auto":
            self._speed_up(weights)
        self._tokenize = self._tokenizer(model)
        self.fingerprint = self._fingerprint(weights)
        self._memory: dict[str, Vectors] = {}
        self._folder = cache / self.fingerprint if cache else None

    @property
    def title(self) -> str:
        """The model as a score names it: name and fingerprint."""
        name = Path(self.model_name.removeprefix(LOCAL)).name
        return f"{name}@{self.fingerprint}"

    def _load(self, model: str, weights: Path) -> Any:
        broken = require("safetensors", "to read CLIP weights").SafetensorError
        try:
            with _without_warnings():  # open_clip warns that nothing is loaded; the next line does
                net = self._clip.create_model(
                    model,
                    load_weights=False,
                    pretrained_text=False,
                    precision=self._precision,
                    device=self._device,
                )
            self._clip.load_checkpoint(net, str(weights))
        except broken as error:
            raise InputError(
                f"The file {weights} is no complete .safetensors file: {error}.", "Copy it again from its source."
            ) from error
        except (AssertionError, RuntimeError, ValueError, KeyError, TypeError, OSError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise InputError(
                f"The weights {weights.name} cannot be loaded as open_clip model {model!r}: {first}",
                "Give the model name the weights were trained with (QuickGELU models have names of their own).",
            ) from error
        return net.eval()

    def _speed_up(self, weights: Path) -> None:
        """Take the precision that suits model and device, where it ranks neutral pictures as full precision does."""
        wanted = precision_for(
            type(self._model.visual).__name__, self._device, quick_at_half=quick_at_half(self._torch)
        )
        if wanted == self._precision:
            return
        squares = [frames(one, self.side)[0] for one in neutral_pictures(_CHECKED)]
        full, slow = self._encode(squares), self._model
        self._precision = wanted
        if wanted == HALF:
            self._model = self._load(self.model_name, weights)
        if agreement(full, self._encode(squares)) < AGREEMENT:
            self._precision, self._model = FULL, slow
        self.calls = 0

    def _tokenizer(self, model: str) -> Any:
        try:
            return self._clip.get_tokenizer(model)
        except (OSError, RuntimeError, ValueError, ImportError) as error:
            raise InputError(
                f"The tokenizer of open_clip model {model!r} is not on this machine.",
                "Put its tokenizer files into the model's folder and name it as local-dir:FOLDER.",
            ) from error

    def _fingerprint(self, weights: Path) -> str:
        """Twelve hex digits of weights, model, preprocessing, framing and precision: what may change an embedding."""
        digest = hashlib.sha256()
        with weights.open("rb") as file:
            while block := file.read(1 << 22):
                digest.update(block)
        config = json.dumps(self._preprocessing(), sort_keys=True, default=str)
        name = self.model_name if not self.model_name.startswith(LOCAL) else "folder"
        digest.update(f"{name}|{config}|{FRAMING}|{self._precision}".encode())
        return digest.hexdigest()[:12]

    def _preprocessing(self) -> dict[str, Any]:
        return dict(self._model.visual.preprocess_cfg)

    @property
    def side(self) -> int:
        """The side in pixels of the square pictures the model takes."""
        size = self._preprocessing()["size"]
        return int(size if isinstance(size, int) else size[0])

    @property
    def scale(self) -> float:
        """The learned factor from cosine to logit."""
        return float(self._model.logit_scale.exp().detach().float().cpu())

    def pictures(self, images: Sequence[Picture], keys: Sequence[str] | None = None) -> Vectors:
        """Unit vectors (n, d) of whole pictures: half the padded whole, half the square tiles of long ones.

        ``keys`` (the pictures' SHA-256, say) let an embedding be found again, in memory or in the cache folder, and
        equal ones be embedded once. A picture may be given as what opens it: it is opened only when it is needed.
        """
        names = list(keys) if keys is not None else [""] * len(images)
        kept = [name or index for index, name in enumerate(names)]  # by key, or by index where there is none
        found: dict[str | int, Vectors] = {}
        first: dict[str | int, int] = {}
        for index, key in enumerate(kept):
            if key not in first and key not in found:
                row = self.known(names[index])
                if row is None:
                    first[key] = index
                else:
                    found[key] = row
        for (key, index), vector in zip(first.items(), self._framed([images[i] for i in first.values()]), strict=True):
            found[key] = vector
            self._keep(names[index], vector)
        return np.stack([found[key] for key in kept])

    def _framed(self, images: Sequence[Picture]) -> Iterator[Vectors]:
        """The vector (d,) of each picture from its frames."""
        if not images:
            return
        framed = [frames(image() if callable(image) else image, self.side) for image in images]
        flat = self._encode([frame for group in framed for frame in group])
        start = 0
        for group in framed:
            yield _pooled(flat[start : start + len(group)])
            start += len(group)

    def _encode(self, squares: Sequence[Image], batch: int = 32) -> Vectors:
        """Unit vectors (n, d) of square pictures of the model's side."""
        settings = self._preprocessing()
        mean = np.asarray(settings["mean"], dtype=np.float32)
        std = np.asarray(settings["std"], dtype=np.float32)
        parts = []
        for start in range(0, len(squares), batch):
            stack = np.stack([np.asarray(square, dtype=np.float32) for square in squares[start : start + batch]])
            planes = ((stack / 255.0 - mean) / std).transpose(0, 3, 1, 2)
            tensor = self._torch.from_numpy(np.ascontiguousarray(planes)).to(self._device, dtype=self._dtype())
            self.calls += 1
            with self._torch.inference_mode(), self._mixed():
                vectors = self._model.encode_image(tensor, normalize=False)
            parts.append(np.asarray(vectors.float().cpu().numpy(), dtype=np.float32))
        return _unit(np.concatenate(parts))

    def _mixed(self) -> Any:
        kind = self._device.partition(":")[0]
        return self._torch.autocast(kind, self._torch.bfloat16, enabled=self._precision == MIXED)

    def _dtype(self) -> Any:
        return self._torch.bfloat16 if self._precision == HALF else self._torch.float32

    def fits(self, text: str) -> bool:
        """Whether a text is short enough for the model to read it whole."""
        inner = getattr(self._tokenize, "tokenizer", None)
        if inner is not None:
            count = len(inner(text, truncation=False)["input_ids"])
        else:
            count = len(self._tokenize.encode(text)) + 2  # its beginning and its end
        return count <= int(self._tokenize.context_length)

    def phrases(self, texts: Sequence[str], templates: Sequence[str] = ("{}",)) -> Vectors:
        """Unit vectors (n, d) of phrases, each the mean over the templates it is put into.

        Of one that is longer than the model's context, the mean of its pieces: nothing is cut off.
        """
        whole = [template.format(text) for text in texts for template in templates]
        pieces = [split_to_fit(text, self.fits) for text in whole]
        rows = self._texts([piece for group in pieces for piece in group])
        starts = np.cumsum([0, *(len(group) for group in pieces[:-1])])
        rows = _unit(np.add.reduceat(rows, starts, axis=0)) if len(rows) > len(whole) else rows
        return _unit(rows.reshape(len(texts), len(templates), -1).mean(axis=1))

    def _texts(self, filled: Sequence[str]) -> Vectors:
        """Unit vectors (n, d) of texts that fit."""
        with self._torch.inference_mode():
            vectors = self._model.encode_text(self._tokenize(list(filled)).to(self._device), normalize=False)
        return _unit(np.asarray(vectors.float().cpu().numpy(), dtype=np.float32))

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """The words of a text that the model's tokenizer does not know, each once; none where it spells words out."""
        inner = getattr(self._tokenize, "tokenizer", None)
        mark = getattr(inner, "unk_token_id", None)
        if inner is None or mark is None or not getattr(inner, "is_fast", False):
            return ()
        found = inner(text, add_special_tokens=False, return_offsets_mapping=True)
        spans = zip(found["input_ids"], found["offset_mapping"], strict=True)
        return tuple(dict.fromkeys(text[start:stop].lower() for number, (start, stop) in spans if number == mark))

    @property
    def folder(self) -> Path | None:
        """The model's folder, where it was loaded from one."""
        return Path(self.model_name.removeprefix(LOCAL)) if self.model_name.startswith(LOCAL) else None

    def known(self, key: str) -> Vectors | None:
        """The vector (d,) that is kept by this key, or None."""
        if not key:
            return None
        if key not in self._memory and self._folder is not None:
            with suppress(OSError, ValueError, EOFError):  # absent or damaged: it is worked out again
                self._memory[key] = np.load(self._path(key), allow_pickle=False)
        return self._memory.get(key)

    def _keep(self, key: str, vector: Vectors) -> None:
        if not key:
            return
        self._memory[key] = vector
        if self._folder is None:
            return
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            np.save(file, vector)
        os.replace(file.name, path)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / key[:2] / f"{key}.npy"


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Nothing below an error is logged inside."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _pooled(vectors: Vectors) -> Vectors:
    """One unit vector of the whole's and the tiles' vectors: half of each."""
    if len(vectors) == 1:
        return np.asarray(vectors[0], dtype=np.float32)
    return np.asarray(_unit((vectors[:1] + vectors[1:].mean(axis=0, keepdims=True)) / 2)[0], dtype=np.float32)


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)
