"""How long the program takes to answer, as a ratio to the bare interpreter in the same run.

Run: python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

REPEATS = 15
CASES = {
    "bare interpreter": ["-c", "pass"],
    "proofsheet --help": ["-m", "proofsheet", "--help"],
    "import experiments.comparing.analysis": ["-c", "import experiments.comparing.analysis"],
    "import warehouse.store": ["-c", "import warehouse.store"],
    "import generation.compose": ["-c", "import generation.compose"],
    "import scoring.assess": ["-c", "import scoring.assess"],
    "import pandas": ["-c", "import pandas"],
    "import streamlit": ["-c", "import streamlit"],
    "import torch": ["-c", "import torch"],
}
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks" / "startup.md"


def seconds(arguments: list[str]) -> float:
    """The median time of a fresh interpreter with these arguments."""
    times = []
    for _ in range(3 if "torch" in arguments[-1] else REPEATS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Measure every case in turn and write the page."""
    found = {name: seconds(arguments) for name, arguments in CASES.items()}
    bare = found["bare interpreter"]
    rows = [f"| {name} | {value:.3f} | {value / bare:.1f} |" for name, value in found.items()]
    text = "\n".join(
        [
            "# Start-up",
            "",
            "Median of fresh processes, warm disk. `python benchmarks/startup.py` reproduces it.",
            "",
            "| what | seconds | × bare interpreter |",
            "| --- | ---: | ---: |",
            *rows,
            "",
        ]
    )
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
