"""Scores many assets in one pass: each picture is opened once, a few at a time, and results stream out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from proofsheet import plugins
from proofsheet.domain.assessment import Grade, Score, Verdict
from proofsheet.domain.asset import Origin
from proofsheet.domain.campaign import BrandKit, Brief
from proofsheet.errors import InputError, ProofsheetError
from proofsheet.picture_files import DECODING_ERRORS, MOST_PIXELS, PictureError, damaged, is_too_large, too_large
from scoring.scorer import Assessment, Scorer, Subject, rgb_picture, thumbnail_of
from scoring.verdict import load_rules

if TYPE_CHECKING:
    from PIL.Image import Image

#: Pictures held in memory at once, and their pixels: three bytes each.
CHUNK = 8
CHUNK_PIXELS = 60_000_000


def assess_all(
    subjects: Sequence[Subject],
    brand: BrandKit,
    *,
    scorers: Sequence[str] | None = None,
    clip_model: str = "",
    clip_checkpoint: str = "",
    cache: Path | None = None,
    brief: Brief | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[str, Assessment]]:
    """Assess assets, by placement and locale; yields each asset's id with all its scores and verdicts, once.

    An asset whose picture cannot be opened gets a FAIL of the criterion ``picture`` and nothing else. Results of a
    placement and locale come out when all its pictures have been seen, as look-alikes are only known then.

    Args:
        subjects: what to assess; pictures are opened one by one and at most ``CHUNK`` are held.
        brand: the brand kit to judge against.
        scorers: names of scorer plug-ins; all installed ones by default.
        clip_model: open_clip model name or ``local-dir:FOLDER``; empty for the house CLIP, ``none`` for no CLIP score.
        clip_checkpoint: path of the ``.safetensors`` weights of a named model.
        cache: folder to keep CLIP embeddings in, across runs.
        brief: whose claims are looked for in the pictures; without one that is not judged.
        progress: called with (assets looked at, all assets).

    Raises:
        NotFoundError: no such scorer.
        InputError: a scorer's options are wrong, such as a checkpoint that does not fit.
    """
    clip: dict[str, Any] = {"model": clip_model, "checkpoint": clip_checkpoint, "cache": cache}
    options = {"brand_fit": clip, "brief_fit": {**clip, "brief": brief}, "diversity": clip, "safety": clip}
    names = plugins.names(plugins.SCORERS) if scorers is None else scorers
    chosen = [open_scorer(name, **options.get(name, {})) for name in names]
    return _stream(sorted(subjects, key=_group), brand, chosen, progress or (lambda done, total: None))


def open_scorer(name: str, **options: Any) -> Scorer:
    """The scorer plug-in of that name with its options.

    Raises:
        NotFoundError: no such scorer.
        InputError: the scorer does not take one of the options.
    """
    kind = plugins.load(plugins.SCORERS, name)
    taken = inspect.signature(kind).parameters
    if not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values()):
        for option in options:
            if option not in taken:
                known = ", ".join(taken) or "none"
                raise InputError(f"The scorer {name} takes no option {option!r}.", f"It takes: {known}.")
    return cast(Scorer, kind(**options))


def overall(verdicts: Iterable[Verdict]) -> Grade:
    """The worst grade; REVIEW when there is no verdict at all, as nothing has been judged."""
    return max((verdict.grade for verdict in verdicts), key=lambda grade: grade.severity, default=Grade.REVIEW)


def _stream(
    ordered: Sequence[Subject], brand: BrandKit, scorers: Sequence[Scorer], progress: Callable[[int, int], None]
) -> Iterator[tuple[str, Assessment]]:
    singles = [scorer for scorer in scorers if not getattr(scorer, "compares", False)]
    comparers = [scorer for scorer in scorers if getattr(scorer, "compares", False)]
    seen = 0
    for _, members in groupby(ordered, key=_group):
        held: list[tuple[Subject, Assessment]] = []
        thumbnails: list[Subject | None] = []
        for chunk in _chunks(members):
            results, opened = _assess_chunk(chunk, brand, singles)
            seen += len(chunk)
            progress(seen, len(ordered))
            if not comparers:
                yield from ((subject.asset.id, result) for subject, result in zip(chunk, results, strict=True))
                continue
            held.extend(zip(chunk, results, strict=True))
            thumbnails.extend(opened)
        compared = _run(comparers, [subject for subject in thumbnails if subject], brand)
        for (subject, result), thumbnail in zip(held, thumbnails, strict=True):
            yield subject.asset.id, result.joined(next(compared)) if thumbnail else result


def _assess_chunk(
    chunk: Sequence[Subject], brand: BrandKit, scorers: Sequence[Scorer]
) -> tuple[list[Assessment], list[Subject | None]]:
    """The assessments of a few subjects, and the subjects with thumbnails for pictures (None: unreadable)."""
    opened = [_open(subject) for subject in chunk]
    judged = _run(scorers, [one for one in opened if isinstance(one, Subject)], brand)
    results, thumbnails = [], list[Subject | None]()
    for subject, one in zip(chunk, opened, strict=True):
        if isinstance(one, Subject):
            results.append(next(judged))
            thumbnails.append(replace(one, image=partial(_given, thumbnail_of(one.image()))))
        else:
            results.append(_unreadable(subject, one))
            thumbnails.append(None)
    return results, thumbnails


def _run(scorers: Sequence[Scorer], subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
    """The joined assessments of all scorers, one per subject."""
    if not scorers:
        yield from (Assessment() for _ in subjects)
        return
    for parts in zip(*(scorer.assess(subjects, brand) for scorer in scorers), strict=True):
        joined = Assessment()
        for part in parts:
            joined = joined.joined(part)
        yield joined


def _open(subject: Subject) -> Subject | ProofsheetError:
    """The subject with its picture decoded, or what is wrong with the picture."""
    from PIL import Image as Pillow

    try:
        lazy = subject.image()
        if is_too_large(*lazy.size, MOST_PIXELS):
            return too_large(lazy.width, lazy.height, MOST_PIXELS)
        picture = rgb_picture(lazy)
    except ProofsheetError as error:
        return error
    except Pillow.DecompressionBombError:
        return PictureError("size", "has far too many pixels", "Scale it down.")
    except DECODING_ERRORS as error:
        return damaged(error)
    return replace(subject, image=partial(_given, picture))


def _given(picture: Image) -> Image:
    return picture


def _unreadable(subject: Subject, error: ProofsheetError) -> Assessment:
    problem = f"it {error.clause}" if isinstance(error, PictureError) else error.message.rstrip(".")
    verdict = load_rules()["picture"].judge(subject.asset.id, 0.0, problem=problem)
    if subject.asset.origin is Origin.UPLOADED and error.hint:
        verdict = replace(verdict, remedy=error.hint)
    score = Score(
        asset_id=subject.asset.id, criterion="picture", value=0.0, unit="opens", scorer="picture/1", detail=problem
    )
    return Assessment((score,), (verdict,))


def _group(subject: Subject) -> tuple[str, str]:
    return subject.asset.placement, subject.asset.locale


def _chunks(subjects: Iterable[Subject]) -> Iterator[list[Subject]]:
    """At most ``CHUNK`` subjects at a time, and at most ``CHUNK_PIXELS`` pixels unless one alone has more."""
    chunk: list[Subject] = []
    pixels = 0
    for subject in subjects:
        own = subject.asset.width * subject.asset.height
        if chunk and (len(chunk) == CHUNK or pixels + own > CHUNK_PIXELS):
            yield chunk
            chunk, pixels = [], 0
        chunk.append(subject)
        pixels += own
    if chunk:
        yield chunk
