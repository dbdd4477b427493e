"""A folder's report as one HTML page that holds everything it shows: style, typefaces and thumbnails; no script."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from proofsheet.domain.assessment import Grade, Verdict
from scoring.report import FolderReport, PictureReport
from scoring.report_scores import scales_list, scores_table
from scoring.scales import title_of

#: What a grade is called on the page.
GRADES = {Grade.FAIL: "Fail", Grade.REVIEW: "Look closer", Grade.PASS: "Pass"}
#: Nothing may be loaded or run, whatever a file is named.
_POLICY = "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'"
_KEPT = '<p class="kept">Every rule that could be judged is kept.</p>'
_MARK = (
    '<svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true"><g fill="#3b79bd">'
    '<rect width="10" height="10" rx="2"/><rect y="12" width="10" height="10" rx="2"/>'
    '<rect x="12" y="12" width="10" height="10" rx="2"/></g>'
    '<rect x="13" y="1" width="8" height="8" rx="1.5" fill="none" stroke="#e0672c" stroke-width="2"/></svg>'
)


@dataclass(frozen=True, slots=True)
class FontFace:
    """A typeface to carry along: its family, the weights it serves (``200 600``), and the bytes of a TrueType file."""

    family: str
    weights: str
    data: bytes


def page_of(report: FolderReport, fonts: Iterable[FontFace] = ()) -> str:
    """The page. All names and texts are escaped; the page may load nothing and run nothing."""
    title = f"Score report: {report.brand}"
    style = "".join(_face(font) for font in fonts) + files("scoring").joinpath("report.css").read_text("utf-8")
    parts = (
        _top(report, title),
        "<main>",
        _totals(report),
        _mend_first(report),
        _pictures(report),
        _look_alikes(report),
        _not_judged(report),
        _how_to_read(report),
        f"<footer>Made by Proofsheet {escape(report.version)}. Scores are measured, verdicts follow stated rules; "
        "whether a picture may run is for a person to decide.</footer></main>",
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _face(font: FontFace) -> str:
    data = b64encode(font.data).decode()
    return (
        f'@font-face {{ font-family: "{font.family}"; font-weight: {font.weights}; '
        f"src: url(data:font/ttf;base64,{data}); }}\n"
    )


def _top(report: FolderReport, title: str) -> str:
    count = _counted(len(report.pictures), "picture")
    day = f"{report.scored_at.day} {report.scored_at:%B %Y}"
    kit = "".join(
        f'<span><i class="dot" style="background:{escape(one.hex)}"></i>{escape(one.name)} '
        f'<span class="soft">{escape(one.hex)}</span></span>'
        for one in report.palette
    )
    return (
        f'<header class="top"><div class="maker">{_MARK}Proofsheet</div><h1>{escape(title)}</h1>'
        f'<p class="soft">{count} in {escape(report.folder)}, judged by the brand kit of {escape(report.brand)} '
        f'on {day}.</p><div class="kit">{kit}</div></header>'
    )


def _totals(report: FolderReport) -> str:
    said = {
        Grade.FAIL: "must be mended",
        Grade.REVIEW: "want a person's eye",
        Grade.PASS: "break no rule that could be judged",
    }
    boxes = "".join(
        f'<div class="total {grade}"><b>{report.grades.get(grade.value, 0)}</b>{GRADES[grade]} '
        f'<span class="soft">· {words}</span></div>'
        for grade, words in said.items()
    )
    bars = "".join(
        f'<i class="{grade}" style="flex:{count}"></i>' for grade in said if (count := report.grades.get(grade.value))
    )
    return f'<section class="totals">{boxes}</section><div class="shares" aria-hidden="true">{bars}</div>'


def _mend_first(report: FolderReport) -> str:
    """What concerns most pictures: each criterion with how many fail or want a look."""
    counted = Counter((one.criterion, one.grade) for picture in report.pictures for one in picture.problems)
    if not counted:
        return ""
    examples: dict[tuple[str, Grade], Verdict] = {}
    for picture in report.pictures:
        for one in picture.problems:
            examples.setdefault((one.criterion, one.grade), one)
    order = sorted(counted, key=lambda key: (-key[1].severity, -counted[key], key[0]))
    rows = "".join(
        f"<tr><td>{_chip(grade)}</td><td><b>{escape(title_of(criterion))}</b></td>"
        f'<td class="number">{counted[criterion, grade]}</td>'
        f'<td class="soft hide-narrow">{escape(examples[criterion, grade].remedy)}</td></tr>'
        for criterion, grade in order
    )
    return (
        "<h2>What to mend first</h2><table><thead><tr><th>Verdict</th><th>About</th>"
        '<th class="number">Pictures</th><th class="hide-narrow">What mends it, for the first of them</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _pictures(report: FolderReport) -> str:
    buttons = [("all", f"All {len(report.pictures)}")]
    buttons += [(grade.value, f"{word} {n}") for grade, word in GRADES.items() if (n := report.grades.get(grade.value))]
    chosen = "".join(
        f'<input type="radio" name="only" id="only-{key}"{" checked" if key == "all" else ""}>'
        f'<label for="only-{key}">{word}</label>'
        for key, word in buttons
    )
    cards = "".join(_card(one) for one in report.pictures)
    return f'<h2>Pictures</h2><div class="filter" role="group" aria-label="Show">{chosen}</div>{cards}'


def _card(picture: PictureReport) -> str:
    reasons = "".join(_reason(one) for one in picture.problems)
    told = f'<ol class="reasons">{reasons}</ol>' if reasons else _KEPT
    scores = scores_table(picture.scores) if picture.thumbnail else ""
    return (
        f'<article class="card {picture.grade}"><div class="shown">{_image(picture)}</div><div>'
        f'<div class="name"><h3>{escape(picture.path)}</h3>{_chip(picture.grade)}</div>'
        f'<p class="facts">{_facts(picture)}</p>{told}{_swatches(picture)}{scores}</div></article>'
    )


def _reason(verdict: Verdict) -> str:
    remedy = f'<p class="remedy">{escape(verdict.remedy)}</p>' if verdict.remedy else ""
    return (
        f'<li>{_chip(verdict.grade)}<div><p><span class="what">{escape(title_of(verdict.criterion))}.</span> '
        f"{escape(verdict.reason.strip())}</p>{remedy}</div></li>"
    )


def _facts(picture: PictureReport) -> str:
    known = []
    if picture.kind:
        known += [f"{picture.width} × {picture.height} px", picture.kind.upper()]
    known.append(_weight(picture.size))
    if picture.thumbnail and picture.placement_title:
        known.append(f"judged as {escape(picture.placement_title)} ({escape(picture.placement_by)})")
    elif picture.thumbnail:
        known.append(f"judged without a placement: {escape(picture.placement_by)}")
    if picture.copies:
        known.append(f"the same file: {escape(', '.join(picture.copies))}")
    return " · ".join(known)


def _weight(size: int) -> str:
    for limit, unit in ((1e7, "MB"), (1e3, "KB")):
        if size >= limit:
            return f"{size / {'MB': 1e6, 'KB': 1e3}[unit]:,.0f} {unit}"
    return f"{size} bytes"


def _swatches(picture: PictureReport) -> str:
    if not picture.swatches:
        return ""
    bars = "".join(f'<i style="flex:{one.share:.4f};background:{escape(one.hex)}"></i>' for one in picture.swatches)
    told = ", ".join(
        f"{one.hex} {one.share:.0%} ({escape(one.nearest)}, ΔE\u00a0{one.difference:.0f})"
        for one in picture.swatches[:3]
    )
    return (
        f'<div class="swatches" aria-hidden="true">{bars}</div>'
        f'<p class="caption">Its colours by share, each with the nearest of the brand: {told}</p>'
    )


def _look_alikes(report: FolderReport) -> str:
    return _twins(report) + _diversity(report)


def _diversity(report: FolderReport) -> str:
    """For each placement, how many wholly different pictures its pictures are worth."""
    found: dict[str, str] = {}
    for picture in report.pictures:
        for score in picture.scores:
            if score.criterion == "diversity" and score.value is not None:
                place = picture.placement_title or "No known placement"
                found[place] = f"like {score.value:.1f} wholly different ones ({score.unit})"
    lines = "".join(f"<dt>{escape(place)}</dt><dd>{escape(told)}</dd>" for place, told in found.items())
    if not lines:
        return ""
    return (
        '<h2>How different they are</h2><p class="soft" style="margin-bottom:16px">By CLIP: the Vendi score of the '
        f"pictures of each placement.</p><dl>{lines}</dl>"
    )


def _twins(report: FolderReport) -> str:
    if not report.look_alikes:
        return ""
    by_path: dict[str, PictureReport] = {}
    for one in report.pictures:
        by_path.update(dict.fromkeys((one.path, *one.copies), one))
    rows = "".join(
        f'<div class="cluster">{"".join(_figure(path, by_path) for path in cluster)}</div>'
        for cluster in report.look_alikes
    )
    return (
        '<h2>Look-alikes</h2><p class="soft">Pictures for one placement that nobody could tell apart as thumbnails. '
        "Showing both in a test teaches nothing.</p>" + rows
    )


def _figure(path: str, by_path: Mapping[str, PictureReport]) -> str:
    picture = by_path[path]
    same = " (the same file)" if path in picture.copies else ""
    return f"<figure>{_image(picture)}<figcaption>{escape(path)}{same}</figcaption></figure>"


def _not_judged(report: FolderReport) -> str:
    parts = []
    if report.abstained:
        lines = "".join(f"<li>{escape(one)}</li>" for one in report.abstained)
        parts.append(f'<h2>What could not be judged</h2><ul class="plain soft">{lines}</ul>')
    if report.skipped:
        lines = "".join(f"<li>{escape(path)}: {escape(why)}</li>" for path, why in report.skipped)
        parts.append(f'<h2>Files left out</h2><ul class="plain soft">{lines}</ul>')
    return "".join(parts)


def _how_to_read(report: FolderReport) -> str:
    scales = scales_list(score for picture in report.pictures for score in picture.scores)
    return (
        '<h2>How to read the scores</h2><p class="soft" style="margin-bottom:16px;max-width:72ch">A score is measured; '
        "a verdict is what a stated rule makes of it. A picture's grade is its worst verdict. What stands where on a "
        "picture from elsewhere is not known, so nothing is said of its words, logo and safe areas.</p>" + scales
    )


def _image(picture: PictureReport) -> str:
    if not picture.thumbnail:
        return '<div class="none">Does not open</div>'
    data = b64encode(picture.thumbnail).decode()
    return f'<img src="data:image/webp;base64,{data}" alt="{escape(picture.path)}" decoding="async">'


def _chip(grade: Grade) -> str:
    return f'<span><span class="chip {grade}">{GRADES[grade]}</span></span>'


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
