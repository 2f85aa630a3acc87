"""Direct reads against two HTTP servers that speak WebHDFS: what is read is right, whatever a DataNode does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from pivo import store as store_module
from pivo.errors import NotFound, Unavailable
from pivo.hdfsaddress import Address
from pivo.store import HdfsStore
from pivo.webhdfs import Direct, NotDirect

BODY = bytes(range(256)) * 64
NAME = "/backups/a b/ü.pack"


class Node:
    """A WebHDFS server on loopback; as a NameNode it names one of `datanodes`, as a DataNode it sends BODY."""

    def __init__(self) -> None:
        node = self
        self.asked: list[dict[str, list[str]]] = []
        self.datanodes: list[str] = []
        self.spoil = lambda body: body
        self.status = 200
        self.free, self.capacity = 0, 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                node.asked.append(query)
                status, body = node.answer(parts.path, query)
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", json.loads(body)["Location"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_PUT(self) -> None:
                """No DataNode can be named: HDFS 3.5.0's own words for a full disk and for a DataNode that is gone."""
                words = "Failed to find datanode, suggest to check cluster health. excludeDatanodes=null"
                body = json.dumps({"RemoteException": {"exception": "IOException", "message": words}}).encode()
                self.send_response(403)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, bytes]:
        if query["op"] == ["GETSTATUS"]:
            status = {"used": 5, "remaining": self.free, "capacity": self.capacity}
            return 200, json.dumps({"FsStatus": status}).encode()
        if query["op"] == ["GETSERVERDEFAULTS"]:
            return 200, json.dumps({"FsServerDefaults": {"blockSize": 128 << 20, "replication": 1}}).encode()
        if not path.endswith("/%C3%BC.pack") or "/a%20b/" not in path:
            told = {"exception": "FileNotFoundException", "message": f"File does not exist: {path}"}
            return 404, json.dumps({"RemoteException": told}).encode()
        if self.datanodes:
            without = query.get("excludedatanodes", [""])[0].split(",")
            left = [d for d in self.datanodes if d not in without] or self.datanodes
            url = f"http://{left[0]}{path}?op=OPEN&offset={query['offset'][0]}&token=x%2By"
            return 200 if "noredirect" in query else 307, json.dumps({"Location": url}).encode()
        offset = int(query["offset"][0])
        length = int(query.get("length", [str(len(BODY))])[0])
        return self.status, self.spoil(BODY[offset : offset + length])

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node, Node]]:
    name, first, second = Node(), Node(), Node()
    name.datanodes = [first.address, second.address]
    yield name, first, second
    for node in (name, first, second):
        if node.server.socket.fileno() != -1:
            node.close()


def test_the_namenode_is_asked_once_for_many_ranges(nodes: tuple[Node, Node, Node]) -> None:
    name, data, _ = nodes
    direct = Direct(Address(name.address, "/"), "reader", 5)
    for offset in (0, 1000, 16_000):
        assert direct.read(NAME, offset, 300) == BODY[offset : offset + 300]
    assert direct.read(NAME, 16_000, None) == BODY[16_000:]
    assert (len(name.asked), len(data.asked)) == (1, 4)
    assert data.asked[0]["token"] == ["x+y"], "what the NameNode put into the address is handed on"


def test_what_was_written_is_read_back_without_asking_where_it_is(nodes: tuple[Node, Node, Node]) -> None:
    name, first, second = nodes
    direct = Direct(Address(name.address, "/"), "writer", 5)
    where = f"http://{first.address}/webhdfs/v1{quote(NAME)}?op=CREATE&user.name=w&delegation=T%2B&overwrite=false"
    direct.wrote(NAME, where)
    assert direct.read(NAME, 0, None) == BODY and name.asked == []
    assert first.asked[0] == {"op": ["OPEN"], "user.name": ["w"], "delegation": ["T+"], "offset": ["0"]}
    first.close()
    assert direct.read(NAME, 5, 10) == BODY[5:15] and len(second.asked) == 1


def test_each_stretch_of_a_long_file_is_asked_for_where_it_lies(nodes: tuple[Node, Node, Node]) -> None:
    name, *_ = nodes
    direct = Direct(Address(name.address, "/"), "reader", 5)
    for offset in (0, 200 << 20, 1, (200 << 20) + 5):
        with pytest.raises(NotDirect):  # this file is short
            direct.read(NAME, offset, 1 << 20)
    assert {q["offset"][0] for q in name.asked} >= {"0", str(200 << 20)}


def test_a_datanode_that_is_gone_is_replaced(nodes: tuple[Node, Node, Node]) -> None:
    name, first, second = nodes
    direct = Direct(Address(name.address, "/"), "reader", 5)
    assert direct.read(NAME, 0, 10) == BODY[:10]
    first.close()
    assert direct.read(NAME, 5, 10) == BODY[5:15]
    assert name.asked[-1]["excludedatanodes"] == [first.address]
    assert direct.read(NAME, 7, 10) == BODY[7:17]
    assert len(second.asked) == 2 and len(name.asked) == 3, "the new address is kept"


@pytest.mark.parametrize("wrong", ["short", "long", "error"])
def test_a_wrong_answer_is_never_taken(nodes: tuple[Node, Node, Node], wrong: str) -> None:
    name, first, second = nodes
    if wrong == "error":
        first.status = 403
    else:
        first.spoil = lambda body: body[:-1] if wrong == "short" else body + b"x"
    assert Direct(Address(name.address, "/"), "reader", 5).read(NAME, 3, 100) == BODY[3:103]
    assert len(second.asked) == 1


def test_without_any_datanode_the_person_is_told(nodes: tuple[Node, Node, Node]) -> None:
    name, first, second = nodes
    first.close()
    second.close()
    with pytest.raises(NotDirect):
        Direct(Address(name.address, "/"), "reader", 5).read(NAME, 0, 10)
    with pytest.raises(Unavailable) as told:
        HdfsStore(f"webhdfs://{name.address}/backups", "reader", 5).read("a b/ü.pack", 0, 10)
    assert "pivo status" in told.value.do


def test_a_missing_file_is_not_found(nodes: tuple[Node, Node, Node]) -> None:
    store = HdfsStore(f"webhdfs://{nodes[0].address}/backups", "reader", 5)
    with pytest.raises(NotFound):
        store.read("no such", 0, 10)
    with pytest.raises(NotFound):
        store.list("no such")


@pytest.mark.parametrize(
    ("free", "capacity", "sentence"),
    [
        (100 << 20, 1 << 40, "HDFS has no room for x: 104,857,600 bytes are free, a block has 134,217,728"),
        (1 << 30, 1 << 40, "HDFS is not ready: Failed to find datanode"),
        (0, 0, "HDFS is not ready: Failed to find datanode"),
    ],
)
def test_a_full_disk_is_told_from_a_datanode_that_is_gone(
    nodes: tuple[Node, Node, Node], free: int, capacity: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_HEARTBEAT", 0.0)
    nodes[0].free, nodes[0].capacity = free, capacity
    with pytest.raises(Unavailable) as told:
        HdfsStore(f"webhdfs://{nodes[0].address}/backups", "writer", 5).write("x", [b"1"])
    assert sentence in told.value.what


def test_what_hdfs_has_free_is_unknown_where_nobody_answers() -> None:
    assert Direct(Address("127.0.0.1:9", "/"), "writer", 1).room() is None
