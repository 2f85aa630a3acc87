from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil
import pytest

from pivo.errors import StackError
from pivo.stack import checks
from pivo.stack.part import Folders, Part


def part(**ports: int) -> Part:
    return Part(name="kafka", title="Kafka", command=lambda: ("true",), ports=ports)


def test_a_taken_port_is_named_with_its_owner_and_the_variable_that_changes_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StackError) as caught:
            checks.ports([part(kafka=port)])
    assert str(port) in caught.value.what
    assert str(os.getpid()) in caught.value.what
    assert "PIVO_PORT_KAFKA" in caught.value.do


def test_all_taken_ports_are_told_at_once() -> None:
    with socket.socket() as one, socket.socket() as two:
        for other in (one, two):
            other.bind(("127.0.0.1", 0))
            other.listen()
        numbers = [other.getsockname()[1] for other in (one, two)]
        with pytest.raises(StackError) as caught:
            checks.ports([part(kafka=numbers[0]), part(zookeeper=numbers[1])])
    assert all(str(number) in caught.value.what for number in numbers)
    assert "PIVO_PORT_ZOOKEEPER" in caught.value.do


def test_a_port_whose_last_connection_lingers_counts_as_free() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first keeps the port in TIME_WAIT
        client.close()
    checks.ports([part(kafka=port)])


def test_too_little_memory_is_told_with_both_figures() -> None:
    needed = psutil.virtual_memory().total / 1e9 + 1
    with pytest.raises(StackError) as caught:
        checks.memory(needed)
    assert f"{needed:.1f} GB" in caught.value.what
    assert "PIVO_MEMORY_CHECK=0" in caught.value.do


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "DISK", 1e9)
    with pytest.raises(StackError, match="free disk"):
        checks.disk(tmp_path)
    (Folders(tmp_path).data / "hdfs").mkdir(parents=True)
    checks.disk(tmp_path)  # a stack that is there already needs less


def test_a_missing_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="git is not installed"):
        checks.git()


def test_missing_jars_lead_to_make_setup(tmp_path: Path) -> None:
    with pytest.raises(StackError) as caught:
        checks.jars(tmp_path)
    assert "make setup" in caught.value.do


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StackError) as caught:
        Folders(tmp_path / "file" / "home").make()
    assert "PIVO_HOME" in caught.value.do
