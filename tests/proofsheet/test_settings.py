"""Settings: defaults, environment over file, and a clear message for a bad value."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofsheet.errors import InputError, NotFoundError
from proofsheet.plugins import BACKENDS, SCORERS, load, names
from proofsheet.settings import load_settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROOFSHEET_HOME", raising=False)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("proofsheet.toml").write_text('home = "from-file"\nlease_timeout = 5\n')
    assert load_settings().home == Path("from-file")
    monkeypatch.setenv("PROOFSHEET_HOME", "from-environment")
    assert load_settings().home == Path("from-environment")
    assert load_settings(home=Path("given")).home == Path("given")
    assert load_settings(home=None).lease_timeout == 5


def test_a_bad_value_is_named_with_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFSHEET_LEASE_TIMEOUT", "-1")
    with pytest.raises(InputError, match=r"lease_timeout has the value '-1'"):
        load_settings()


def test_a_broken_settings_file_is_named() -> None:
    Path("proofsheet.toml").write_text("home = ")
    with pytest.raises(InputError, match=r"proofsheet\.toml is not valid TOML"):
        load_settings()


def test_an_unknown_plug_in_answers_with_the_known_ones() -> None:
    assert {"procedural", "diffusers"} <= set(names(BACKENDS))
    with pytest.raises(NotFoundError, match="no scorer named 'taste'") as caught:
        load(SCORERS, "taste")
    assert "palette" in caught.value.hint
