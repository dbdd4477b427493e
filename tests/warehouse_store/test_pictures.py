"""Pictures by content: what comes back is what went in, or an error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofsheet.domain.identity import bytes_id
from proofsheet.errors import InputError, NotFoundError, ProofsheetError
from warehouse.pictures import PictureStore


@given(data=st.binary(max_size=2000))
@settings(max_examples=20, deadline=None)
def test_bytes_come_back_by_their_hash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    store = PictureStore(tmp_path_factory.mktemp("pictures"))
    sha256 = store.put(data)
    assert sha256 == bytes_id(data)
    assert store.has(sha256)
    assert store.get(sha256) == data
    assert store.path(sha256) == store.folder / sha256[:2] / sha256[2:4] / sha256


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(tmp_path / "pictures")


def test_a_picture_kept_already_is_not_written_again(store: PictureStore) -> None:
    path = store.path(store.put(b"one"))
    before = path.stat()
    assert store.put(b"one") == path.name
    assert path.stat().st_ino == before.st_ino


def test_a_damaged_picture_is_an_error_and_is_mended_by_putting_it_again(store: PictureStore) -> None:
    sha256 = store.put(b"a picture")
    store.path(sha256).write_bytes(b"A picture")
    with pytest.raises(ProofsheetError, match="is damaged"):
        store.get(sha256)
    store.put(b"a picture")
    assert store.get(sha256) == b"a picture"


def test_a_missing_picture_is_said_to_be_missing(store: PictureStore) -> None:
    sha256 = bytes_id(b"never kept")
    assert not store.has(sha256)
    with pytest.raises(NotFoundError, match="missing"):
        store.get(sha256)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "/x", "a" * 64 + "\n"])
def test_a_name_that_is_no_hash_reaches_no_file(store: PictureStore, name: str) -> None:
    for use in (store.path, store.has, store.get):
        with pytest.raises(InputError, match="not the SHA-256"):
            use(name)


def test_a_write_that_fails_leaves_no_picture_and_no_half(store: PictureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ProofsheetError, match="No space left"):
            store.put(b"too much")
    assert not store.has(bytes_id(b"too much"))
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
