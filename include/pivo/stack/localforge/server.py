"""The forge as a process (`python -m pivo.stack.localforge`) and as a thread of a test."""

from __future__ import annotations

import argparse
import logging
import socket
import threading
import time
from pathlib import Path

import uvicorn

from pivo.errors import StackError
from pivo.stack.localforge.app import create_app
from pivo.stack.localforge.repos import Account, Forge
from pivo.stack.localforge.webhooks import Webhooks

_HOST = "127.0.0.1"


def _config(forge: Forge, hooks: Webhooks) -> uvicorn.Config:
    # asyncio's loop: uvloop cannot start programs from a thread that is not the main one
    return uvicorn.Config(
        create_app(forge, hooks),
        loop="asyncio",
        lifespan="off",
        log_level="warning",
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        ws="none",
    )


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((_HOST, port))
    except OSError as err:
        sock.close()
        raise StackError(
            f"The local forge cannot listen on {_HOST}:{port}: {err.strerror}.",
            "Stop what uses that port, or set PIVO_PORT_FORGE.",
        ) from None
    return sock


class ForgeServer:
    """A forge that answers while the `with` block runs; `url` is its address, `api_url` that of its REST API."""

    def __init__(self, forge: Forge, port: int = 0) -> None:
        self.forge = forge
        self._sock = _listen(port)
        self._hooks = Webhooks(forge)
        self._server = uvicorn.Server(_config(forge, self._hooks))
        self._thread = threading.Thread(target=self._server.run, args=([self._sock],), daemon=True)

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._sock.getsockname()[1]}"

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v3"

    def __enter__(self) -> ForgeServer:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._hooks.close()
        self._sock.close()


def main(argv: list[str] | None = None) -> None:
    """Serve a forge until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="pivo.stack.localforge", description="A local forge on loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", type=Path, required=True, help="the folder of the repositories")
    parser.add_argument("--token-file", type=Path, required=True, help="holds the token of --login")
    parser.add_argument("--login", default="pivo", help="the account that the token belongs to")
    parser.add_argument("--private", action="store_true", help="hide private repositories from anonymous readers")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    token = args.token_file.read_text().strip()
    if not token:
        parser.error(f"{args.token_file} is empty; it must hold a token")
    args.root.mkdir(parents=True, exist_ok=True)
    forge = Forge(args.root.resolve(), {token: Account(args.login)}, anonymous_read=not args.private)
    logging.info("local forge on http://%s:%d, repositories in %s", _HOST, args.port, args.root)
    try:
        sock = _listen(args.port)
    except StackError as err:
        raise SystemExit(str(err)) from None
    hooks = Webhooks(forge)
    try:
        uvicorn.Server(_config(forge, hooks)).run([sock])
    finally:
        hooks.close()
