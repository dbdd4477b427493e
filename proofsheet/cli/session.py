"""What one run of the program shares between its commands: where home is, and how things are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from proofsheet.domain.identity import canonical

if TYPE_CHECKING:
    from rich.console import Console

    from proofsheet.workflows.house import House, Progress


@dataclass(slots=True)
class Session:
    """One run: the home chosen, and whether the answer goes to a machine."""

    home: Path | None = None
    as_json: bool = False

    def house(self) -> House:
        """Open the house at the home chosen."""
        from proofsheet.workflows.house import open_house

        return open_house(home=self.home)

    @property
    def console(self) -> Console:
        """Where tables and sentences go."""
        from rich.console import Console

        return Console(highlight=False, soft_wrap=not sys.stdout.isatty())

    def say(self, *lines: str) -> None:
        """Print plain lines; markup in them is not interpreted."""
        for line in lines:
            self.console.print(line, markup=False)

    def answer(self, value: Any) -> None:
        """Print a noun, a mapping or a list of them as JSON."""
        sys.stdout.write(json.dumps(canonical(value), ensure_ascii=False, indent=2, sort_keys=True) + "\n")

    def show_error(self, message: str, hint: str) -> None:
        """Print a problem and its remedy to standard error."""
        if self.as_json:
            sys.stderr.write(json.dumps({"error": message, "hint": hint}, ensure_ascii=False) + "\n")
            return
        from rich.console import Console

        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print("Error: ", style="bold red", end="")
        console.print(message, markup=False)
        if hint:
            console.print(hint, markup=False, style="dim")

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        right: Sequence[int] = (),
        whole: Sequence[int] = (),
    ) -> None:
        """Print a table; ``right`` lists the columns set flush right, ``whole`` those whose cells are not broken."""
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=Text(title) if title else None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold"
        )
        for index, column in enumerate(columns):
            justify: Literal["right", "left"] = "right" if index in right else "left"
            table.add_column(column, justify=justify, overflow="fold", no_wrap=index in whole)
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        width = None if sys.stdout.isatty() else 140
        Console(highlight=False, width=width).print(table)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A progress bar with the time left on standard error; silent when nobody watches it or JSON is asked for."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=self.as_json or not sys.stderr.isatty(),
        )
        tasks: dict[str, Any] = {}

        def step(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        with bar:
            yield step


session = Session()


def json_option(asked: bool) -> bool:
    """Remember that the answer goes to a machine."""
    session.as_json = asked
    return asked


Register = Callable[[Any], None]
