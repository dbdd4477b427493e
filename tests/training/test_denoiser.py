"""The denoiser's stage and the folder it is put into: a tiny network, a tiny world, diffusers' stock pipelines."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("open_clip")

from generation.house.autoencoder import HouseAutoencoder, without_seams  # noqa: E402
from generation.house.packing import PackedAutoencoder, packed, unpacked  # noqa: E402
from training import denoiser as stage  # noqa: E402
from training.assemble import assemble  # noqa: E402
from training.captions import Teller  # noqa: E402
from training.dataset import Shard  # noqa: E402
from training.latents import encode_data  # noqa: E402
from training.sketching import train_sketch, trained_autoencoder  # noqa: E402
from training.solvers import solver  # noqa: E402
from training.world import SHAPES, sample_set  # noqa: E402

SIZES = [(shape.width, shape.height) for shape in SHAPES.values()]
TINY: dict[str, Any] = {
    "seconds": 1e6,
    "steps": 6,
    "batch": 4,
    "threads": 1,
    "width": 32,
    "layers": 2,
    "heads": 2,
    "warm_steps": 2,
    "check_pictures": 2,
    "check_seconds": 1e9,
}
SKETCH: dict[str, Any] = {"seconds": 1e6, "steps": 3, "batch": 4, "threads": 1, "captions": 60}


class Quiet:
    """Hears and says nothing."""

    def step(self, share: float, text: str = "") -> None:
        pass


class World:
    """A handful of smooth pictures with facts, in two shapes."""

    def __init__(self, count: int = 6) -> None:
        self.count = count

    def shards(self, split: str) -> list[Shard]:
        return [self._shard(bucket) for bucket in (("square", "wide") if split == "train" else ("square",))]

    def _shard(self, bucket: str) -> Shard:
        shape, rng = SHAPES[bucket], np.random.default_rng(len(bucket))
        words = random.Random(bucket)
        coarse = rng.integers(0, 256, (self.count, shape.height // 16, shape.width // 16, 3)).astype(np.uint8)
        images = coarse.repeat(16, axis=1).repeat(16, axis=2)
        return Shard(f"{bucket}-set", bucket, "set", images, [sample_set(words, bucket) for _ in range(self.count)])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with an autoencoder and a CLIP that have learnt nothing, and a denoiser of a few steps."""
    from training.clip_model import new_clip, save_clip
    from training.grammar import vocabulary
    from training.tokenizer import Words, save_tokenizer

    out = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    autoencoder = HouseAutoencoder()
    pictures = [torch.from_numpy(np.array(s.images)).movedim(3, 1) / 127.5 - 1 for s in World().shards("train")]
    autoencoder.start_from(pictures)
    autoencoder.settle(pictures)
    autoencoder.half().save_pretrained(out / "autoencoder")
    save_tokenizer(vocabulary(), out / "words")
    save_clip(new_clip(Words(out / "words" / "tokenizer.json").size), out / "words", out / "words")
    train_sketch({"sketch": SKETCH}, World(), out, Quiet())
    stage.train_denoiser({"denoiser": TINY}, World(), out, Quiet())
    return out


@pytest.fixture(scope="module")
def folder(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(run, tmp_path_factory.mktemp("weights") / "diffusion")


def pipeline(folder: Path, task: str) -> Any:
    import diffusers

    kind = getattr(diffusers, f"AutoPipelineFor{task}")
    loaded = kind.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def seeds(*numbers: int) -> list[Any]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def pixels(images: Any) -> Any:
    return np.stack([np.asarray(image).astype(int) for image in images])


def link(run: Path, target: Path) -> Path:
    """A new run with the same autoencoder, words and sketch."""
    for name in ("autoencoder", "words", "sketch"):
        (target / name).symlink_to(run / name, target_is_directory=True)
    return target


def test_packing_keeps_every_number() -> None:
    latent = torch.randn(2, 16, 6, 10)
    assert packed(latent).shape == (2, 4, 12, 20)
    assert torch.equal(unpacked(packed(latent)), latent)


def test_packed_autoencoder_is_the_same_autoencoder(run: Path) -> None:
    inner = HouseAutoencoder.from_pretrained(run / "autoencoder", dtype=torch.float32)
    outer = PackedAutoencoder.around(inner)
    pictures = torch.rand(2, 3, 64, 96) * 2 - 1
    latent = outer.encode(pictures).latent_dist.sample()
    assert latent.shape == (2, 4, 16, 24)
    assert torch.equal(unpacked(latent), inner.encode(pictures).latent_dist.mode())
    there = without_seams(inner(pictures))
    assert torch.allclose(outer.decode(latent, return_dict=False)[0], there, atol=1e-4)


def test_a_network_that_puts_out_nothing_denoises_around_its_guess(run: Path) -> None:
    """Then the flow is noise less picture, where both are the best linear guesses for what differs by ``lack``."""
    network = stage.new_denoiser({**stage.DEFAULTS, **TINY}, 192)
    network.get_buffer("lack").copy_(torch.linspace(0.1, 1.5, 32).view(2, 16, 1, 1))
    network.sketch.mean_square.normal_()
    generator = torch.Generator().manual_seed(3)
    latent, text = torch.randn(4, 16, 16, 16, generator=generator), torch.randn(4, 48, 192, generator=generator)
    times = torch.tensor([0.1, 0.4, 0.8, 1.0])
    with torch.no_grad():
        flow = network.velocity(latent, times, text)
        guess, _ = network.sketch.understood(text[:, 0], latent, times)
        lack = network.lack_of(text).double()
    share = times.view(-1, 1, 1, 1).double()
    gain = (1 - share) * lack**2 / ((1 - share) ** 2 * lack**2 + share**2)
    picture = network.sketch.quieted((guess + gain * (latent - (1 - share) * guess)).float()).double()
    noise = (latent - (1 - share) * picture) / share
    assert flow.numpy() == pytest.approx((noise - picture).numpy(), abs=1e-4)
    assert float(guess.std()) > 0.01


def test_what_is_lacking_is_measured_channel_by_channel(run: Path) -> None:
    shards = encode_data(trained_autoencoder(run), World(), "train", run / "latents", Quiet())  # type: ignore[arg-type]
    teller = Teller(run / "words", torch.device("cpu"), 0.0, 0.0)

    def nothing(text: Any, numbers: Any, height: int, width: int) -> Any:
        return torch.zeros(len(text), 16, height, width)

    square = np.array(next(shard for shard in shards if shard.bucket == "square").latents, np.float32)
    found = stage._lacking(nothing, shards, teller)  # type: ignore[arg-type]
    assert found.shape == (2, 16, 1, 1)
    for row in found:
        spread = np.sqrt((square**2).mean(axis=(0, 2, 3)))
        assert row.flatten().numpy() == pytest.approx(np.maximum(spread, 1e-3), rel=1e-3)  # never less, see the stage


def test_texts_that_say_nothing_lack_more() -> None:
    network = stage.new_denoiser({**stage.DEFAULTS, **TINY}, 192)
    with torch.no_grad():
        network.sketch.reader.heads.weight.zero_()
        network.sketch.reader.heads.bias.zero_()
        network.sketch.reader.heads.weight[2, 0] = 1.0  # the third subject is none
    text = torch.zeros(2, 48, 192)
    text[1, 0, 0] = 5.0
    found = network.lack_of(text)
    assert torch.equal(found, network.get_buffer("lack"))
    assert float(found[0].mean()) < float(found[1].mean())


def test_learns_a_batch_by_heart(run: Path, tmp_path: Path) -> None:
    section = {**stage.DEFAULTS, **TINY, "steps": 60, "rate": 6e-3, "empty": 0.0}
    teller = Teller(run / "words", torch.device("cpu"), 0.0, 0.0)
    shards = encode_data(trained_autoencoder(run), World(2), "held", tmp_path, Quiet())  # type: ignore[arg-type]
    torch.manual_seed(1)
    network = stage.new_denoiser(section, teller.width)
    training = stage.Training(network, stage.Budget.of(section), tmp_path, matrices=network.matrices())
    lesson = stage.Lesson(training, shards, teller, section)
    with torch.no_grad():
        before = np.mean([float(lesson(step)) for step in range(500, 508)])
    training.run(lesson, Quiet())  # type: ignore[arg-type]
    with torch.no_grad():
        after = np.mean([float(lesson(step)) for step in range(500, 508)])
    assert after < 0.75 * before


def test_interrupted_training_ends_in_the_same_weights(run: Path, tmp_path: Path) -> None:
    halves = link(run, tmp_path)
    stage.train_denoiser({"denoiser": {**TINY, "steps": 6, "seconds": 1e6}}, World(), halves, Quiet())
    whole = torch.load(run / "denoiser" / "last.pt", weights_only=True)
    cut = tmp_path / "denoiser" / "last.pt"
    assert _equal(whole, torch.load(cut, weights_only=True)), "two runs differ, so resuming cannot be tried"
    other = tmp_path / "other"
    other.mkdir()
    link(run, other)
    _interrupted(other, after=3)
    assert torch.load(other / "denoiser" / "last.pt", weights_only=True)["step"] == 3
    stage.train_denoiser({"denoiser": TINY}, World(), other, Quiet())
    assert _equal(whole, torch.load(other / "denoiser" / "last.pt", weights_only=True))


def _interrupted(out: Path, after: int) -> None:
    class Stop(Quiet):
        """Interrupts before a step, when what was learnt so far is saved."""

    patch = pytest.MonkeyPatch()
    lesson = stage.Lesson.__call__
    trainings: list[Any] = []
    start = stage.Lesson.__init__

    def remember(self: Any, training: Any, *rest: Any) -> None:
        trainings.append(training)
        start(self, training, *rest)

    def stop(self: Any, step: int) -> Any:
        if step == after:
            trainings[0].save()
            raise KeyboardInterrupt
        return lesson(self, step)

    patch.setattr(stage.Lesson, "__init__", remember)
    patch.setattr(stage.Lesson, "__call__", stop)
    with pytest.raises(KeyboardInterrupt):
        stage.train_denoiser({"denoiser": TINY}, World(), out, Stop())
    patch.undo()


def _equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one["step"] == other["step"] and all(
        torch.equal(value, other[part][name]) for part in ("network", "average") for name, value in one[part].items()
    )


def test_latents_are_made_anew_for_other_weights_and_kept_for_the_same(run: Path, tmp_path: Path) -> None:
    autoencoder = trained_autoencoder(run)
    first = np.array(encode_data(autoencoder, World(), "train", tmp_path, Quiet())[0].latents)  # type: ignore[arg-type]
    assert first.shape == (6, 16, 16, 16)
    alone = autoencoder.encode(torch.from_numpy(World().shards("train")[0].images[:1]).movedim(3, 1) / 127.5 - 1)
    assert np.allclose(first[:1], alone.latent_dist.mode().detach().numpy(), atol=0.01)
    file = tmp_path / "train" / "square-set.npy"
    stamp = file.stat().st_mtime_ns
    encode_data(autoencoder, World(), "train", tmp_path, Quiet())  # type: ignore[arg-type]
    assert file.stat().st_mtime_ns == stamp
    autoencoder.gain.mul_(2)
    again = encode_data(autoencoder, World(), "train", tmp_path, Quiet())[0]  # type: ignore[arg-type]
    assert np.allclose(again.latents.astype(float) * 2, first.astype(float), atol=0.02)


def test_captions_are_heard_as_the_pipeline_tells_them(run: Path, folder: Path) -> None:
    loaded = pipeline(folder, "Text2Image")
    teller = Teller(run / "words", torch.device("cpu"), 0.0, 0.0)
    texts = [*teller.plain([sample_set(random.Random(seed)) for seed in range(3)]), ""]
    told, nothing = loaded.encode_prompt(texts, "cpu", 1, True, negative_prompt=[""] * 4)
    assert told.shape == (4, 48, teller.width)
    assert torch.allclose(told, teller.states(texts), atol=0.12, rtol=0.05)  # bfloat16 against float32
    assert torch.allclose(nothing[0], told[3], atol=1e-5)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_stock_pipelines_draw_and_draw_over_and_inpaint(folder: Path, width: int, height: int) -> None:
    words = {"prompt": ["a desert at dusk", "a red arch"], "negative_prompt": ["people", "chair"]}
    how = {"num_inference_steps": 3, "guidance_scale": 2.5}
    first = pipeline(folder, "Text2Image")(width=width, height=height, generator=seeds(1, 2), **words, **how).images
    second = pipeline(folder, "Image2Image")(image=first, strength=0.7, generator=seeds(3, 4), **words, **how).images
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 16 * 8] = 255
    from PIL import Image

    third = pipeline(folder, "Inpainting")(
        image=first, mask_image=Image.fromarray(mask), width=width, height=height, generator=seeds(5, 6), **words, **how
    ).images
    assert {picture.size for picture in (*first, *second, *third)} == {(width, height)}
    assert np.abs(pixels(first)[0] - pixels(first)[1]).mean() > 1
    assert np.abs(pixels(first) - pixels(second)).mean() > 1


def test_inpainting_keeps_what_is_not_masked(run: Path, folder: Path) -> None:
    from PIL import Image

    source = World().shards("held")[0].images[0]
    mask = np.zeros((128, 128), np.uint8)
    mask[:, :64] = 255
    loaded = pipeline(folder, "Inpainting")
    drawn = loaded(
        "a desert",
        image=Image.fromarray(source),
        mask_image=Image.fromarray(mask),
        width=128,
        height=128,
        num_inference_steps=4,
        guidance_scale=2.0,
        generator=seeds(1),
    ).images
    back = trained_autoencoder(run)(torch.from_numpy(source.copy())[None].movedim(3, 1) / 127.5 - 1)
    back = without_seams(back)
    back = ((back.clamp(-1, 1) + 1) * 127.5).round().movedim(1, 3)[0].numpy()
    change = np.abs(pixels(drawn)[0] - back)
    assert change[:, 96:].max() <= 2, "kept pixels are those of the autoencoder alone"
    assert change[:, :56].mean() > 10


def test_seed_guidance_and_negative_prompt_decide_the_pixels(folder: Path) -> None:
    loaded = pipeline(folder, "Text2Image")

    def draw(seed: int = 1, guidance: float = 3.0, negative: str = "") -> Any:
        return pixels(
            loaded("a desert at dusk", negative_prompt=negative, guidance_scale=guidance, num_inference_steps=3,
                   generator=seeds(seed)).images
        )  # fmt: skip

    plain = draw()
    assert np.array_equal(plain, draw())
    assert not np.array_equal(plain, draw(seed=2))
    assert not np.array_equal(plain, draw(guidance=1.0))
    assert not np.array_equal(plain, draw(negative="a red arch"))


@pytest.mark.parametrize("strength", [0.3, 0.6, 1.0])
def test_the_solver_ends_at_the_picture_that_the_exact_flow_leads_to(folder: Path, strength: float) -> None:
    """Draws over a picture with the flow that leads to one known latent: noise, times and steps must agree."""
    loaded = pipeline(folder, "Image2Image")
    target = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(5))

    class Exact(torch.nn.Module):
        config, dtype, device = loaded.unet.config, torch.float32, torch.device("cpu")

        def forward(self, sample: Any, time: Any, **_: Any) -> Any:
            return ((sample - target) / (float(time) / 1000),)

    loaded.unet = Exact()
    found = loaded("", image=torch.rand(1, 4, 32, 32), strength=strength, num_inference_steps=8, guidance_scale=1.0,
                   generator=seeds(1), output_type="latent").images  # fmt: skip
    assert torch.allclose(found, target, atol=0.05)


def test_assembled_folder_is_half_precision_and_says_nothing_of_where_it_was_made(folder: Path) -> None:
    from safetensors.torch import load_file

    for part in ("unet", "vae"):
        weights = load_file(folder / part / "diffusion_pytorch_model.safetensors")
        assert {value.dtype for value in weights.values() if value.is_floating_point()} == {torch.float16}
    assert not [file for file in folder.rglob("*.json") if str(folder.parent.parent) in file.read_text("utf-8")]
    assert solver().config.prediction_type == "flow_prediction"


def test_what_sampling_found_best_is_put_into_the_folder(run: Path, tmp_path: Path) -> None:
    from training.sampling import Way, write_defaults

    out = tmp_path / "run"
    out.mkdir()
    link(run, out)
    (out / "denoiser").symlink_to(run / "denoiser", target_is_directory=True)
    write_defaults(Way("unipc", 6, 2.0, 0.9, 0.1, 0.1), out)
    loaded = pipeline(assemble(out, tmp_path / "diffusion"), "Text2Image")
    assert type(loaded.scheduler).__name__ == "UniPCMultistepScheduler"
    assert loaded.scheduler.config.use_flow_sigmas
    assert '"steps": 6' in (tmp_path / "diffusion" / "sampling.json").read_text("utf-8")
