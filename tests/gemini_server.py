"""A local server that speaks Gemini's REST protocol: scripted answers, streamed as server-sent events."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class GeminiServer:
    """Answers each request with the next of `script`: a list of chunks (dicts), or (status, body) for an error.

    With `pause`, seconds lie before each chunk but the first."""

    def __init__(self, *script: Any, pause: float = 0.0) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append(body)
                server.paths.append(self.path)
                answer = server.script.pop(0) if server.script else (500, "the script is over")
                if isinstance(answer, tuple):
                    status, text = answer
                    error = {"error": {"code": status, "message": text, "status": "UNAVAILABLE"}}
                    raw = text.encode() if text.startswith("<") else json.dumps(error).encode()
                    kind = "text/html" if text.startswith("<") else "application/json"
                else:
                    status, kind = 200, "text/event-stream"
                    pieces = [b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in answer]
                    raw = b"".join(pieces)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                if status != 200 or not pause:
                    self.wfile.write(raw)
                    return
                with suppress(OSError):  # who asked may have gone
                    for piece in pieces:
                        self.wfile.write(piece)
                        self.wfile.flush()
                        time.sleep(pause)

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> GeminiServer:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()


def text(*pieces: str, **usage: int) -> list[dict[str, Any]]:
    """A streamed answer in words."""
    chunks = [{"candidates": [{"content": {"role": "model", "parts": [{"text": p}]}}]} for p in pieces]
    chunks[-1]["candidates"][0]["finishReason"] = "STOP"  # type: ignore[index]
    chunks[-1]["usageMetadata"] = usage or {"promptTokenCount": 10, "candidatesTokenCount": 5}  # type: ignore[assignment]
    return chunks


def call(name: str, args: dict[str, Any], call_id: str = "c1", signature: str = "c2lnbmVk") -> list[dict[str, Any]]:
    """A streamed function call with a thought signature (base64)."""
    part = {"functionCall": {"id": call_id, "name": name, "args": args}, "thoughtSignature": signature}
    return [
        {
            "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 20, "candidatesTokenCount": 7, "thoughtsTokenCount": 3},
        }
    ]
