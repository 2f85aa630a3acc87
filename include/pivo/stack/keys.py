"""Generated secrets: one a file, made once, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pivo.errors import StackError


def secret(path: Path, fresh: str | None = None) -> str:
    """The secret in the file at `path`; `fresh` (or a random one) is written there the first time."""
    try:
        known = path.read_text().strip() if path.exists() else ""
        if known:
            return known
        value = fresh or secrets.token_urlsafe(24)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(value + "\n")
        draft.replace(path)
        return value
    except OSError as err:
        raise StackError(f"The secret {path} cannot be kept ({err.strerror}).", "Mend its permissions.") from err
