"""Asks a person on the terminal what pictures show: numbered choices, undo, and every answer kept at once."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import typer

from proofsheet.cli.session import session
from proofsheet.workflows.coverage_labels import Question, Sample, add_label, undo_label
from proofsheet.workflows.house import House


def ask(house: House, drawn: Sample, *, opens: bool = False) -> int:
    """Ask the open questions one after the other; gives back how many were answered.

    ``b`` goes a question back and takes its answer back, ``s`` leaves a question for later, ``q`` or the end of the
    input stops.
    """
    questions, at = drawn.questions, 0
    session.say(
        f"{drawn.campaign}: a random sample of {drawn.pictures} pictures, {drawn.done} of them done by {drawn.rater}.",
        "Say what you perceive, not what anybody is. A number answers; b: back, s: skip, q: stop. "
        "Each answer is kept at once.",
    )
    if not questions:
        session.say("Nothing is left to label.", "Next: proofsheet coverage")
        return 0
    shown = ""
    given: set[int] = set()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="proofsheet-label-")))
        while 0 <= at < len(questions):
            question = questions[at]
            if question.picture != shown:
                shown = question.picture
                _show(question, folder, opens=opens)
            word = _answer(question)
            if word == "q":
                break
            if word == "s":
                at += 1
            elif word == "b":
                at = max(at - 1, 0)
                if at in given:
                    undo_label(house, drawn, questions[at])
                    given.discard(at)
            else:
                add_label(house, drawn, question, word)
                given.add(at)
                at += 1
    session.say(f"{len(given)} answers kept.", "Next: proofsheet coverage, or proofsheet label to go on.")
    return len(given)


def _show(question: Question, folder: Path, *, opens: bool) -> None:
    """Say where the picture is, under a name that viewers open."""
    copy = folder / f"picture-{question.number}.png"
    copy.write_bytes(question.path.read_bytes())
    session.say("", f"Picture {question.number} of {question.pictures}: {copy}")
    if opens:
        typer.launch(str(copy))


def _answer(question: Question) -> str:
    """The name of a value, or one of the letters; anything else is asked again."""
    choices = "  ".join(f"{number} {title}" for number, (_, title) in enumerate(question.values, start=1))
    session.say(f"{question.title}:  {choices}")
    while True:
        try:
            word = input("> ").strip().lower()
        except EOFError:
            return "q"
        if word in ("b", "s", "q"):
            return word
        if word.isdecimal() and 1 <= int(word) <= len(question.values):
            return question.values[int(word) - 1][0]
        session.say(f"A number from 1 to {len(question.values)}, or b, s, q.")
