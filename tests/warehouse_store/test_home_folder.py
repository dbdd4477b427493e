"""A home folder in an unusual state: foreign things in it, a broken lock file, no right to write."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from proofsheet.errors import NotFoundError, ProofsheetError
from warehouse.store import Warehouse


def test_a_folder_in_the_database_s_place_is_left_alone(warehouse: Warehouse) -> None:
    (warehouse.home / "warehouse.duckdb" / "mine").mkdir(parents=True)
    for use in (warehouse.read, warehouse.write):
        with (
            pytest.raises(ProofsheetError, match="is a folder, where the warehouse's database belongs") as error,
            use(),
        ):
            pass
        assert "Move it aside" in error.value.hint
    assert (warehouse.home / "warehouse.duckdb" / "mine").is_dir()
    assert not list(warehouse.home.glob(".warehouse*"))


def test_a_broken_lock_file_may_be_deleted(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    with warehouse.write() as writer:
        writer.save_campaign(nouns.campaign())
    lock = warehouse.home / "warehouse.lock"
    lock.write_bytes(b"no lock file at all\n" * 300)
    for use in (warehouse.read, warehouse.write):
        with pytest.raises(ProofsheetError, match=r"warehouse\.lock is damaged") as error, use():
            pass
        assert "Delete that one file" in error.value.hint
    lock.unlink()
    with warehouse.read() as reader:
        assert len(reader.campaigns()) == 1


@contextmanager
def powerless(home: Path, mode: int = 0o555) -> Iterator[None]:
    """Without the right to write in a folder; a superuser steps down to nobody, for whom rights count."""
    os.chmod(home, mode)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        os.chmod(home, stat.S_IRWXU)


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
@pytest.mark.parametrize("lock_kept", [True, False])
def test_a_folder_without_the_right_to_write_can_be_read(nouns: SimpleNamespace, lock_kept: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:  # where nobody may look, unlike in pytest's own folders
        os.chmod(folder, 0o755)
        warehouse = Warehouse(Path(folder) / "home", lease_timeout=1)
        with warehouse.write() as writer:
            writer.save_campaign(nouns.campaign())
        if not lock_kept:
            (warehouse.home / "warehouse.lock").unlink()
        with powerless(warehouse.home):
            with warehouse.read() as reader:
                assert [campaign.slug for campaign in reader.campaigns()] == ["norda"]
            with pytest.raises(ProofsheetError, match="lock file") as error, warehouse.write():
                pass
            assert "--home" in error.value.hint
        with powerless(warehouse.home, mode=0):
            for use in (warehouse.read, warehouse.write):
                with pytest.raises(ProofsheetError, match=r"may not be opened|lock file") as error, use():
                    pass
                assert "--home" in error.value.hint


def test_a_missing_asset_names_commands_that_exist(warehouse: Warehouse) -> None:
    with warehouse.read() as reader, pytest.raises(NotFoundError) as error:
        reader.asset("abcd")
    assert "proofsheet review" in error.value.hint
