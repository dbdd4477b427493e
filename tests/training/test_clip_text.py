"""The tokenizer and the text tower: open_clip, transformers and our own short cut agree."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from training.grammar import caption, vocabulary
from training.tokenizer import CONTEXT, Words, build_tokenizer, save_tokenizer
from training.world import sample_set

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house CLIP that has learned nothing, whose every text weight is random."""
    import torch

    from training.clip_model import new_clip, save_clip

    torch.manual_seed(3)
    place = save_tokenizer(vocabulary(), tmp_path_factory.mktemp("clip"))
    clip = new_clip(Words(place / "tokenizer.json").size)
    with torch.no_grad():
        for name, value in clip.named_parameters():
            if "ln_" in name or name.endswith("bias"):
                value.add_(0.2 * torch.randn_like(value))
    save_clip(clip, place, place)
    return place


def _captions(count: int) -> list[str]:
    rng = random.Random(8)
    facts = [sample_set(rng) for _ in range(count)]
    return [caption(row, rng, rng.random()) for row in facts] + ["kangaroo", "", "a picture " * 60]


def test_transformers_and_open_clip_cut_texts_alike(folder: Path) -> None:
    import open_clip
    from transformers import PreTrainedTokenizerFast

    texts = _captions(20)
    ours = open_clip.get_tokenizer(f"local-dir:{folder}")(texts)
    fast = PreTrainedTokenizerFast.from_pretrained(folder)
    theirs = fast(texts, padding="max_length", max_length=fast.model_max_length, truncation=True, return_tensors="pt")
    assert ours.shape == (23, CONTEXT)
    assert (ours == theirs.input_ids).all()
    assert (ours.max(dim=1).values == fast.eos_token_id).all()
    assert fast.eos_token_id == len(fast) - 1


def test_the_converted_text_tower_gives_the_same_numbers(folder: Path) -> None:
    import open_clip
    import torch

    from training.clip_model import load_clip, text_vectors
    from training.convert import text_encoder_of

    clip, encoder = load_clip(folder), text_encoder_of(folder)
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(_captions(20))
    with torch.inference_mode():
        got = encoder(tokens)
        hidden = clip.ln_final(
            clip.transformer(clip.token_embedding(tokens) + clip.positional_embedding, attn_mask=clip.attn_mask)
        )
        wanted = clip.encode_text(tokens)
        pooled = got.pooler_output @ clip.text_projection
    assert got.last_hidden_state[:, 1:].numpy() == pytest.approx(hidden[:, 1:].numpy(), abs=1e-5)
    assert torch.equal(got.last_hidden_state[:, 0], got.pooler_output)
    assert pooled.numpy() == pytest.approx(wanted.numpy(), abs=1e-5)
    longest = int((tokens != 0).sum(dim=1).max())
    with torch.inference_mode():
        assert text_vectors(clip, tokens[:, :longest]).numpy() == pytest.approx(wanted.numpy(), abs=1e-5)
    assert float(wanted.std()) > 0.01


def test_the_converted_text_tower_survives_saving(folder: Path, tmp_path: Path) -> None:
    import torch

    from generation.house import HouseTextEncoder
    from training.convert import text_encoder_of

    encoder = text_encoder_of(folder)
    encoder.save_pretrained(tmp_path)
    again = HouseTextEncoder.from_pretrained(tmp_path)
    tokens = torch.tensor(Words(folder / "tokenizer.json").encode(["a wooden table in blue"]))
    with torch.inference_mode():
        assert again(tokens).pooler_output.numpy() == pytest.approx(encoder(tokens).pooler_output.numpy(), abs=1e-6)


def test_words_outside_the_vocabulary_are_named() -> None:
    tokenizer = build_tokenizer(("a", "blue", "cafe"))
    unknown = tokenizer.token_to_id("<unk>")
    assert unknown in tokenizer.encode("a blue kangaroo").ids
    assert unknown not in tokenizer.encode("A Blue, CAFÉ!").ids


def test_unknown_words_are_told_as_written(folder: Path) -> None:
    words = Words(folder / "tokenizer.json")
    assert words.unknown("A Kangaroo on a wooden table, Müsli") == ("kangaroo", "müsli")
    assert words.unknown("a wooden table") == ()


@pytest.mark.parametrize("drop", [0.0, 0.5])
def test_the_tokenizer_knows_every_word_of_the_grammar(folder: Path, drop: float) -> None:
    words = Words(folder / "tokenizer.json")
    rng = random.Random(1)
    for _ in range(200):
        assert words.unknown(caption(sample_set(rng), rng, drop)) == ()
