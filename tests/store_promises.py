"""What every store promises the archive; tests/unit holds the local one to it, tests/stack HDFS."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pivo.errors import ArchiveConflict, ArchiveError, NotFound, Unavailable
from pivo.store import Store


class StorePromises:
    """Inherit from it beside a fixture `store`."""

    def test_what_was_written_is_read_whole_and_by_ranges(self, store: Store) -> None:
        store.write("a/b/file", [b"0123", b"", b"456789"])
        assert store.read("a/b/file") == b"0123456789"
        assert store.read("a/b/file", 3, 4) == b"3456"
        assert store.read("a/b/file", 8, 100) == b"89"
        assert store.read("a/b/file", 2, 0) == b""
        assert list(store.stream("a/b/file", 1, 5, chunk=2)) == [b"12", b"34", b"5"]
        entry = store.stat("a/b/file")
        assert entry and (entry.name, entry.is_dir, entry.size) == ("file", False, 10)
        assert [(e.name, e.is_dir) for e in store.list("a")] == [("b", True)]
        store.mkdirs("a/b/c")
        assert [e.name for e in store.list("a/b")] == ["c", "file"]

    def test_nothing_is_overwritten(self, store: Store) -> None:
        store.write("x/file", [b"first"])
        with pytest.raises(ArchiveConflict, match="exists already"):
            store.write("x/file", [b"second"])
        assert store.read("x/file") == b"first"

    def test_what_breaks_off_while_it_is_written_raises(self, store: Store) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"half"
            raise Unavailable("The source went away.", "Try again.")

        with pytest.raises(Unavailable):
            store.write(".incoming/x/file", chunks())

    def test_a_rename_never_replaces_and_never_nests(self, store: Store) -> None:
        store.write(".incoming/one/file", [b"1"])
        store.write(".incoming/two/file", [b"2"])
        store.mkdirs("repo")
        store.rename(".incoming/one", "repo/1")
        with pytest.raises(ArchiveConflict):
            store.rename(".incoming/two", "repo/1")
        assert [e.name for e in store.list("repo/1")] == ["file"] and store.read("repo/1/file") == b"1"
        store.mkdirs("repo/empty")
        with pytest.raises(ArchiveConflict):
            store.rename(".incoming/two", "repo/empty")
        with pytest.raises(ArchiveConflict):
            store.rename(".incoming/two/file", "repo/1/file")
        for missing in (".incoming/none", "repo/1/file/below"):
            with pytest.raises(NotFound):
                store.rename(missing, "repo/2")
        with pytest.raises(NotFound):
            store.rename(".incoming/two", "no/such/parent")
        assert store.read(".incoming/two/file") == b"2"

    def test_of_many_renames_onto_one_name_one_succeeds(self, store: Store) -> None:
        store.mkdirs("repo")
        won: list[int] = []
        start = threading.Barrier(8)

        def rename(n: int) -> None:
            store.write(f".incoming/{n}/file", [b"%d" % n])
            start.wait()
            try:
                store.rename(f".incoming/{n}", "repo/.next-000001")
                won.append(n)
            except ArchiveConflict:
                pass

        threads = [threading.Thread(target=rename, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1 and store.read("repo/.next-000001/file") == b"%d" % won[0]

    @pytest.mark.parametrize(
        "path", ["repo", "repo/1", ".incoming", "", ".", ".incoming/", ".incoming/../repo/1", "x/.incoming/y"]
    )
    def test_only_uploads_can_be_deleted(self, store: Store, path: str) -> None:
        store.write("repo/1/file", [b"kept"])
        store.write(".incoming/x/file", [b"kept"])
        with pytest.raises(ArchiveError):
            store.delete(path)
        assert store.read("repo/1/file") == store.read(".incoming/x/file") == b"kept"

    def test_uploads_are_deleted_and_a_second_time_does_no_harm(self, store: Store) -> None:
        store.write(".incoming/x/file", [b"1"])
        store.delete(".incoming/x/file")
        store.delete(".incoming/x")
        store.delete(".incoming/x")
        assert store.list(".incoming") == []

    @pytest.mark.parametrize("path", ["../outside", "a/../../outside", "/etc/passwd", "a/.."])
    def test_no_path_leaves_the_archive(self, store: Store, path: str) -> None:
        for act in (store.list, store.stat, store.read, store.mkdirs, lambda p: store.write(p, [b""])):
            with pytest.raises(ArchiveError, match="leaves the archive"):
                act(path)
        with pytest.raises(ArchiveError):
            store.rename(".incoming/x", path)

    def test_what_is_missing(self, store: Store) -> None:
        store.write("a/file", [b""])
        assert store.stat("none") is None and store.stat("a/file/below") is None
        for act in (store.list, store.read):
            with pytest.raises(NotFound):
                act("none")
        with pytest.raises(NotFound):
            store.list("a/file")
