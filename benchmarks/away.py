"""A git server that is some way away: `git daemon` on loopback, behind a relay that delays what passes."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue


@contextmanager
def served(folder: Path, one_way: float) -> Iterator[str]:
    """The URL of a server of the bare repositories in `folder`, `one_way` seconds away; set-up costs a round trip."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daemon = subprocess.Popen(
        ["git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}",
         f"--base-path={folder}", "--verbose", str(folder)],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        assert daemon.stderr and b"Ready" in daemon.stderr.readline()
        threading.Thread(target=_drain, args=(daemon,), daemon=True).start()
        threading.Thread(target=_relay, args=(listener, port, one_way), daemon=True).start()
        yield f"git://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        daemon.terminate()
        daemon.wait()


def _drain(daemon: subprocess.Popen[bytes]) -> None:
    assert daemon.stderr
    while daemon.stderr.readline():
        pass


def _relay(listener: socket.socket, port: int, one_way: float) -> None:
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for source, sink, first in ((near, far, 3 * one_way), (far, near, one_way)):
                threading.Thread(target=_carry, args=(source, sink, one_way, first), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket, delay: float, first: float) -> None:
    """Passes bytes on `delay` seconds after they came, the first after `first`: there the handshake is added."""
    waiting: SimpleQueue[tuple[float, bytes]] = SimpleQueue()

    def send() -> None:
        with suppress(OSError):
            while True:
                due, data = waiting.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)

    threading.Thread(target=send, daemon=True).start()
    late = first
    with suppress(OSError):
        while data := source.recv(1 << 16):
            waiting.put((time.monotonic() + late, data))
            late = delay
    waiting.put((time.monotonic() + late, b""))
