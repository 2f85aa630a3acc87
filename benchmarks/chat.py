"""The chat view as a browser sees it: HTTP to a running Airflow, offline answers, alone and 20 people at once.

Needs a stack that is up and knows a repository (`pivo up`, `pivo ingest`). Times are of this machine, in one run;
beside them stands Airflow's own lightest page, which goes through the same server.
"""

from __future__ import annotations

import json
import statistics
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
from rich.console import Console
from rich.table import Table

from pivo.settings import Settings, keep_loopback_direct

_ALONE = 60
_PEOPLE = 20


@dataclass(frozen=True)
class Asked:
    """Seconds from the question to the first piece of the answer's text, and to its end."""

    first: float
    whole: float


def main() -> None:
    keep_loopback_direct()
    settings = Settings.load()
    try:
        httpx.get(f"{settings.airflow_url}/api/v2/version", timeout=5)
    except httpx.TransportError:
        print(f"chat: nothing answers at {settings.airflow_url}; `pivo up` and `pivo ingest` first.")
        return
    login = {"username": settings.airflow_user, "password": settings.airflow_password}
    token = httpx.post(f"{settings.airflow_url}/auth/token", json=login).json()["access_token"]

    def client() -> httpx.Client:
        return httpx.Client(base_url=f"{settings.airflow_url}/pivo/", cookies={"_token": token}, timeout=60)

    with client() as page:
        questions = _questions(page)
        for question in questions:
            _ask(page, question)  # workers, caches and imports are there before anything is counted
        alone = [_ask(page, questions[n % len(questions)]) for n in range(_ALONE)]
        version = [_timed(lambda: page.get("/api/v2/version")) for _ in range(_ALONE)]
    clients = [client() for _ in range(_PEOPLE)]
    with ThreadPoolExecutor(_PEOPLE) as pool:

        def together() -> list[Asked]:
            return list(pool.map(_ask, clients, (questions * _PEOPLE)[:_PEOPLE]))

        together()
        rounds = [together() for _ in range(3)]
    for one in clients:
        one.close()
    crowd = [asked for each in rounds for asked in each]
    table = Table(title="The chat view, offline answers", title_justify="left", header_style="bold", box=None)
    for name in ("what", "median", "p95", "target at p95"):
        table.add_column(name, justify="left" if name == "what" else "right")
    base = statistics.median(version)
    rows = (
        ("first token", [a.first for a in alone], "150 ms"),
        ("whole answer", [a.whole for a in alone], "400 ms"),
        (f"whole answer, {_PEOPLE} people at once", [a.whole for a in crowd], "2,000 ms"),
        ("Airflow's /api/v2/version", version, ""),
    )
    for what, times, target in rows:
        table.add_row(what, _ms(statistics.median(times)), _ms(_p95(times)), target)
    console = Console(width=110)
    console.print(table)
    ratio = statistics.median(a.whole for a in alone) / base
    console.print(f"A whole answer takes {ratio:.1f} × Airflow's lightest request.")


def _questions(page: httpx.Client) -> list[str]:
    """What the empty page suggests, without what proposes: that is planned in HDFS and at the forge."""
    return [q for q in page.get("api/suggestions").json() if not q.startswith("Restore ")]


def _ask(page: httpx.Client, question: str) -> Asked:
    began, first = time.perf_counter(), 0.0
    body = {"question": question, "conversation": str(uuid.uuid4())}
    with page.stream("POST", "api/ask", json=body) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            kind = json.loads(line[6:])["type"] if line.startswith("data: ") else ""
            if kind in {"text", "refusal"} and not first:
                first = time.perf_counter() - began
            assert kind != "error", line
    return Asked(first, time.perf_counter() - began)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
