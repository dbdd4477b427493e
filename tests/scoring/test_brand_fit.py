"""Brand fit with a tiny but real open_clip model: built, saved, loaded through the code a user's model goes through."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from proofsheet.domain.assessment import Grade
from proofsheet.domain.campaign import BrandKit
from proofsheet.errors import InputError
from scoring.assess import assess_all
from scoring.brand_fit import BrandFitScorer
from scoring.embedding import Embedder
from scoring.fit.yardsticks import References, percentile_among
from scoring.scorer import Scene, Subject

pytestmark = pytest.mark.models
Make = Callable[..., Subject]

CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 48, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bicubic"},
}


def _save_model(
    folder: Path, seed: int, name: str = "open_clip_model.safetensors", config: dict[str, Any] = CONFIG
) -> Path:
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    model = open_clip.CLIP(
        embed_dim=config["model_cfg"]["embed_dim"],
        vision_cfg=config["model_cfg"]["vision_cfg"],
        text_cfg={k: v for k, v in config["model_cfg"]["text_cfg"].items() if k != "hf_tokenizer_name"},
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / name)
    return folder


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save_model(tmp_path_factory.mktemp("clip"), 1)


@pytest.fixture(scope="module")
def embedder(model_folder: Path) -> Embedder:
    return Embedder(f"local-dir:{model_folder}", device="cpu")


def test_loading_warns_of_nothing(model_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    Embedder(f"local-dir:{model_folder}", device="cpu")
    assert not caplog.records
    assert logging.root.manager.disable == logging.NOTSET


def _picture(seed: int, size: tuple[int, int] = (120, 90), base: tuple[int, int, int] = (120, 130, 140)) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = np.clip(np.array(base) + rng.integers(-60, 61, (4, 4, 3)), 0, 255).astype(np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def test_embeddings_are_those_of_open_clip_itself(embedder: Embedder, model_folder: Path) -> None:
    import open_clip
    import torch

    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{model_folder}")
    square = _picture(3, (48, 48))
    with torch.inference_mode():
        wanted = model.encode_image(preprocess(square)[None], normalize=True).numpy()[0]
        texts = open_clip.get_tokenizer(f"local-dir:{model_folder}")(["a calm morning"])
        wanted_text = model.encode_text(texts, normalize=True).numpy()[0]
    assert embedder.pictures([square])[0] == pytest.approx(wanted, abs=1e-5)
    assert embedder.phrases(["a calm morning"])[0] == pytest.approx(wanted_text, abs=1e-5)


def test_nothing_of_a_long_phrase_is_cut(embedder: Embedder) -> None:
    words = ["calm", "morning", "stone", "bottle"] * 45
    assert embedder.fits("calm morning")
    assert not embedder.fits(" ".join(words))
    whole, other = embedder.phrases([" ".join(words), " ".join([*words[:-1], "thunderstorm"])])
    assert float(whole @ other) < 0.99999
    short = embedder.phrases(["calm", "fresh"])
    assert embedder.phrases(["calm", " ".join(words), "fresh"])[[0, 2]] == pytest.approx(short, abs=1e-6)


def test_templates_are_averaged(embedder: Embedder) -> None:
    both = embedder.phrases(["fresh"], ("{}.", "a photo, {}."))[0]
    single = embedder.phrases(["fresh.", "a photo, fresh."])
    mean = single.mean(axis=0)
    assert both == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_batches_do_not_change_an_embedding(embedder: Embedder) -> None:
    pictures = [_picture(1), _picture(2, (728, 90)), _picture(3, (90, 160))]
    together = embedder.pictures(pictures)
    alone = np.concatenate([embedder.pictures([one]) for one in pictures])
    assert together == pytest.approx(alone, abs=1e-5)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_ends_of_a_banner_count(side: str, embedder: Embedder) -> None:
    banner = np.asarray(_picture(5, (728, 90))).copy()
    changed = banner.copy()
    changed[:, : 40 if side == "left" else None][:, -40 if side == "right" else None :] = (250, 20, 20)
    vectors = embedder.pictures([Image.fromarray(banner), Image.fromarray(changed)])
    assert float(vectors[0] @ vectors[1]) < 0.9999


def test_half_precision_gives_nearly_the_same_and_is_kept_apart(embedder: Embedder, model_folder: Path) -> None:
    half = Embedder(f"local-dir:{model_folder}", device="cpu", precision="pure_bf16")
    pictures = [_picture(1), _picture(2, (728, 90))]
    cosines = (half.pictures(pictures) * embedder.pictures(pictures)).sum(axis=1)
    assert cosines == pytest.approx(1.0, abs=5e-3)
    assert float(half.phrases(["fresh"])[0] @ embedder.phrases(["fresh"])[0]) == pytest.approx(1.0, abs=5e-3)
    assert half.fingerprint != embedder.fingerprint


def test_a_known_picture_is_not_embedded_again(model_folder: Path, tmp_path: Path) -> None:
    first = Embedder(f"local-dir:{model_folder}", device="cpu", cache=tmp_path)
    wanted = first.pictures([_picture(1), _picture(2)], ["aa11", "bb22"])
    assert first.calls == 1
    assert first.pictures([_picture(2)], ["bb22"]) == pytest.approx(wanted[1:])
    assert first.calls == 1
    later = Embedder(f"local-dir:{model_folder}", device="cpu", cache=tmp_path)
    assert later.pictures([_picture(1), _picture(2)], ["aa11", "bb22"]) == pytest.approx(wanted)
    assert later.calls == 0
    (file,) = tmp_path.rglob("aa11.npy")
    file.write_bytes(b"cut off")
    healed = Embedder(f"local-dir:{model_folder}", device="cpu", cache=tmp_path)
    assert healed.pictures([_picture(1)], ["aa11"]) == pytest.approx(wanted[:1], abs=1e-5)
    assert healed.calls == 1


def test_another_model_has_another_fingerprint_and_cache(model_folder: Path, tmp_path: Path) -> None:
    other = _save_model(tmp_path / "other", 2)
    one, two = (Embedder(f"local-dir:{folder}", device="cpu", cache=tmp_path / "c") for folder in (model_folder, other))
    assert one.fingerprint != two.fingerprint
    one.pictures([_picture(1)], ["aa11"])
    two.pictures([_picture(1)], ["aa11"])
    assert two.calls == 1


def test_pickled_weights_are_refused_even_beside_others(model_folder: Path, tmp_path: Path) -> None:
    import torch

    only_pickle = tmp_path / "pickled"
    only_pickle.mkdir()
    (only_pickle / "open_clip_config.json").write_text(json.dumps(CONFIG), "utf-8")
    torch.save({}, only_pickle / "open_clip_pytorch_model.bin")
    with pytest.raises(InputError, match="can run code"):
        Embedder(f"local-dir:{only_pickle}")
    # open_clip alone would take this .bin before model.safetensors
    both = _save_model(tmp_path / "both", 1, "model.safetensors")
    (both / "open_clip_pytorch_model.bin").write_bytes(b"would fail, or worse, when unpickled")
    square = [_picture(3, (48, 48))]
    same = Embedder(f"local-dir:{model_folder}", device="cpu").pictures(square)
    assert Embedder(f"local-dir:{both}", device="cpu").pictures(square) == pytest.approx(same)


@pytest.mark.parametrize(
    ("model", "checkpoint", "message"),
    [
        ("ViT-B-32", "", "nothing is downloaded"),
        ("ViT-B-32", "weights.pt", "not a .safetensors"),
        ("ViT-B-32", "absent.safetensors", "no checkpoint at"),
        ("hf-hub:someone/something", "", "would have to be downloaded"),
        ("local-dir:/nowhere/at/all", "", "no open_clip_config.json"),
    ],
)
def test_models_that_cannot_be_used_are_explained(model: str, checkpoint: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        BrandFitScorer(model=model, checkpoint=checkpoint)


def test_weights_of_another_model_and_broken_ones_are_explained(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be loaded as open_clip model 'ViT-B-32'"):
        Embedder("ViT-B-32", str(model_folder / "open_clip_model.safetensors"), device="cpu")
    with pytest.raises(InputError, match="cannot be loaded as open_clip model 'ViT-Z-99'"):
        Embedder("ViT-Z-99", str(model_folder / "open_clip_model.safetensors"), device="cpu")
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "open_clip_config.json").write_text(json.dumps(CONFIG), "utf-8")
    whole = (model_folder / "open_clip_model.safetensors").read_bytes()
    (cut / "open_clip_model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"no complete \.safetensors"):
        Embedder(f"local-dir:{cut}", device="cpu")


def test_by_words_a_picture_gets_the_margin_of_its_cosines(
    model_folder: Path, embedder: Embedder, clean: Subject, brand: BrandKit
) -> None:
    from scoring.fit.yardsticks import CONTRASTS, TEMPLATES

    ((_, assessment),) = assess_all([clean], brand, scorers=["brand_fit"], clip_model=f"local-dir:{model_folder}")
    score = assessment.scores[0]
    vector = embedder.pictures([clean.image()])[0]
    own = (embedder.phrases(brand.descriptors, TEMPLATES) @ vector).mean()
    contrasts = embedder.phrases(CONTRASTS) @ vector
    generic = contrasts.mean()
    assert score.value == pytest.approx(100 * (own - generic), abs=1e-3)
    assert score.unit == "cosine margin × 100"
    assert embedder.fingerprint in score.scorer
    (verdict,) = assessment.verdicts
    assert verdict.grade is (Grade.PASS if own >= generic else Grade.REVIEW)
    assert f"the brand's words beat {(contrasts < own).sum()} of {len(contrasts)}" in verdict.reason
    assert assessment.scores[1].criterion == "brand_fit_scene"


def test_by_references_an_outsider_is_told_from_the_brands_own(
    model_folder: Path, tmp_path: Path, brand: BrandKit, make_subject: Make
) -> None:
    paths = []
    for n in range(10):
        path = tmp_path / f"reference{n}.png"
        _picture(n, base=(60, 140, 120)).save(path)
        paths.append(path)
    with_references = replace(brand, references=tuple(paths))
    scorer = BrandFitScorer(model=f"local-dir:{model_folder}", device="cpu")
    own = make_subject(_picture(77, base=(60, 140, 120)), name="own")
    outsider = make_subject(Image.fromarray(np.tile(np.uint8([[[255, 0, 0], [255, 255, 0]]]), (90, 60, 1))), name="out")
    first, second = scorer.assess([own, outsider], with_references)
    assert first.scores[0].unit == second.scores[0].unit == "percentile"
    assert first.verdicts[0].grade is Grade.PASS
    assert second.verdicts[0].grade is Grade.REVIEW
    assert second.scores[0].value == pytest.approx(0, abs=2)
    assert "10 reference pictures" in second.verdicts[0].reason


def test_percentiles_rise_with_likeness_within_and_beyond_the_sample() -> None:
    sample = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
    values = [percentile_among(value, sample) for value in (0.1, 0.4, 0.5, 0.7, 0.9, 0.95, 1.0)]
    assert values == sorted(set(values))
    assert values[2:5] == pytest.approx([100 / 6, 50, 500 / 6])
    assert values[0] == pytest.approx(100 / 6 * 3**-2)  # as much lower as the middle is above the least, twice
    assert percentile_among(0.1, np.full(8, 0.3)) < 1 < 99 < percentile_among(0.5, np.full(8, 0.3))


def test_a_reference_scores_as_it_does_among_the_others(embedder: Embedder) -> None:
    vectors = embedder.pictures([_picture(n, base=(60, 140, 120)) for n in range(12)])
    known, new = References(vectors[:11], "abcdefghijk"), vectors[11]
    n, three = 11, np.sort(vectors[:11] @ new)[::-1]
    without = [np.sort(np.delete(vectors[:11] @ new, i))[-3:].mean() for i in range(n)]
    assert known.likeness(new) == pytest.approx(np.mean(without), abs=1e-6)
    assert known.likeness(new) < three[:3].mean()


def test_the_scene_is_scored_apart_once_for_all_that_share_it(
    model_folder: Path, clean: Subject, make_ad: Make, brand: BrandKit
) -> None:
    opened: list[int] = []

    def scene() -> Image.Image:
        opened.append(1)
        return _picture(8, (300, 200))

    subjects = [
        replace(subject, scene=Scene("ab" * 32, scene)) for subject in (clean, make_ad("two", headline=("Other",)))
    ]
    scorer = BrandFitScorer(model=f"local-dir:{model_folder}", device="cpu")
    first, second = scorer.assess(subjects, brand)
    bare = {one.scores[0].asset_id: one.scores[1] for one in (first, second)}
    assert {one.criterion for one in bare.values()} == {"brand_fit_scene"}
    assert bare["clean"].value == bare["two"].value
    assert first.scores[0].value != second.scores[0].value
    assert bare["clean"].detail.startswith("Of the scene;")
    assert len(opened) == 1


def test_few_references_are_said_and_many_leave_the_words_beside(
    model_folder: Path, tmp_path: Path, brand: BrandKit, clean: Subject
) -> None:
    paths = []
    for n in range(9):
        paths.append(tmp_path / f"r{n}.png")
        _picture(n).save(paths[-1])
    scorer = BrandFitScorer(model=f"local-dir:{model_folder}", device="cpu")
    (few,) = scorer.assess([clean], replace(brand, references=tuple(paths[:7])))
    assert few.scores[0].unit == "cosine margin × 100"
    assert "7 of the 8 reference pictures" in few.scores[0].detail
    (many,) = scorer.assess([clean], replace(brand, references=tuple(paths)))
    found = {one.criterion: one for one in many.scores}
    assert found["brand_fit"].unit == "percentile"
    assert found["brand_fit_words"].unit == "cosine margin × 100"
    assert found["brand_fit_words"].value == few.scores[0].value
    assert few.scores[0].scorer != many.scores[0].scorer


def test_few_references_and_no_words_abstain(
    model_folder: Path, tmp_path: Path, brand: BrandKit, clean: Subject
) -> None:
    path = tmp_path / "one.png"
    _picture(1).save(path)
    bare = replace(brand, descriptors=(), references=(path,))
    scorer = BrandFitScorer(model=f"local-dir:{model_folder}", device="cpu")
    (assessment,) = scorer.assess([clean], bare)
    assert assessment.verdicts == ()
    assert "1 of the 8 reference pictures" in assessment.scores[0].detail
    absent = replace(brand, references=(tmp_path / "absent.png",))
    with pytest.raises(InputError, match=r"absent\.png"):
        list(scorer.assess([clean], absent))


def _worded(folder: Path, *, words: str, hollow: str = "") -> Path:
    """A model whose tokenizer knows a few whole words."""
    from training.tokenizer import Words, save_tokenizer

    save_tokenizer(tuple(words.split()), folder)
    size = Words(folder / "tokenizer.json").size
    config = json.loads(json.dumps(CONFIG))
    config["model_cfg"]["text_cfg"] |= {"context_length": 48, "vocab_size": size, "hf_tokenizer_name": "tokenizer"}
    _save_model(folder, 4, config=config)
    told = {"hollow": hollow.split(), "contrasts": ["a picture"]}
    (folder / "brand_fit.json").write_text(json.dumps(told), "utf-8")
    return folder


def test_words_that_the_model_does_not_know_are_named(tmp_path: Path, brand: BrandKit, clean: Subject) -> None:
    folder = _worded(tmp_path, words="a picture calm morning and fresh", hollow="a and picture")
    scorer = BrandFitScorer(model=f"local-dir:{folder}", device="cpu")
    (assessment,) = scorer.assess([clean], replace(brand, descriptors=("calm Northern morning", "quokka and numbat")))
    score = assessment.scores[0]
    assert score.value is not None
    assert score.detail.endswith("Not known to the model: northern, quokka, numbat")
    assert "calm Northern morning" in score.detail
    assert "quokka and numbat" not in score.detail
    (known,) = scorer.assess([clean], replace(brand, descriptors=("calm morning",)))
    assert "Not known" not in known.scores[0].detail


def test_where_no_word_is_known_there_is_no_score(tmp_path: Path, brand: BrandKit, clean: Subject) -> None:
    folder = _worded(tmp_path, words="a picture and", hollow="a and picture")
    scorer = BrandFitScorer(model=f"local-dir:{folder}", device="cpu")
    (assessment,) = scorer.assess([clean], replace(brand, descriptors=("quokka and numbat", "a picture")))
    assert assessment.verdicts == ()
    assert assessment.scores[0].value is None
    assert "knows no word" in assessment.scores[0].detail
    assert "quokka and numbat" in assessment.scores[0].detail


def test_the_model_of_the_package_is_taken_when_none_is_named(
    tmp_path: Path, brand: BrandKit, clean: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _worded(tmp_path / "house_clip", words="calm northern morning natural fresh")
    monkeypatch.setattr("scoring.house.HOUSE_FOLDER", folder)
    (assessment,) = BrandFitScorer(device="cpu").assess([clean], brand)
    assert assessment.scores[0].value is not None
    assert assessment.scores[0].scorer.startswith("brand_fit/2 house_clip@")
    (switched_off,) = BrandFitScorer(model="none").assess([clean], brand)
    assert switched_off.scores[0].value is None
    assert "wanted" in switched_off.scores[0].detail


def test_without_weights_or_packages_the_scorer_abstains_and_says_why(
    tmp_path: Path, brand: BrandKit, clean: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.house.HOUSE_FOLDER", tmp_path)
    (bare,) = BrandFitScorer().assess([clean], brand)
    assert bare.scores[0].value is None
    assert "open_clip_model.safetensors" in bare.scores[0].detail
    assert bare.verdicts == ()
    monkeypatch.setattr("scoring.house.HOUSE_FOLDER", _worded(tmp_path / "house", words="calm"))
    monkeypatch.setattr("scoring.house.find_spec", lambda name: None if name == "torch" else object())
    (assessment,) = BrandFitScorer().assess([clean], brand)
    assert assessment.scores[0].value is None
    assert "torch" in assessment.scores[0].detail


def test_a_cpu_with_bfloat16_runs_a_vit_in_half_where_it_ranks_alike(
    model_folder: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.embedding.quick_at_half", lambda torch: True)
    nearest: list[float] = []

    def agreeing(full: Any, half: Any) -> float:
        nearest.append(float((full * half).sum(axis=1).min()))
        return 1.0

    monkeypatch.setattr("scoring.embedding.agreement", agreeing)
    half = Embedder(f"local-dir:{model_folder}", device="cpu")
    assert 0.99 < nearest[0] < 0.999999, "half is near to full, and is not full"
    assert half.calls == 0
    assert half.fingerprint == Embedder(f"local-dir:{model_folder}", device="cpu", precision="pure_bf16").fingerprint
    monkeypatch.setattr("scoring.embedding.agreement", lambda *_: 0.5)
    full = Embedder(f"local-dir:{model_folder}", device="cpu")
    assert full.fingerprint == embedder.fingerprint
    assert full.pictures([_picture(1)]) == pytest.approx(embedder.pictures([_picture(1)]))
