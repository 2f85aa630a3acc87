"""`make demo`: the main job on this checkout's own history, step by step, with the commands a person would type.

The stack must be up. Each step runs the real thing: Airflow's DAGs, the agent, and plain git for the proof.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.markup import escape
from rich.panel import Panel

from pivo.cli.output import bar, complain, console, printable
from pivo.errors import PivoError, StackError
from pivo.index.reader import IndexReader
from pivo.orchestrator import Orchestrator
from pivo.settings import Settings, keep_loopback_direct
from pivo.snapshot.archive import Archive
from pivo.store import open_store

REPO = "PIVO"
QUESTIONS = (
    f"Who committed last to {REPO}?",
    "What changed in README.md between the last two commits that touched it{where}?",
)
_SAMPLE_COMMITS = 12
_TIMEOUT = 900.0  # seconds for one DAG run


def main() -> None:
    """Runs the demo; one sentence and exit code 1 when a step fails."""
    keep_loopback_direct()
    try:
        Demo(Settings.load()).run()
    except PivoError as err:
        complain(err)
        sys.exit(err.exit_code)


class Demo:
    """The steps, in order, and what they share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.airflow = Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password)
        self.source = settings.root

    def run(self) -> None:
        self.choose_source()
        self.snapshot()
        self.ask()
        address, commit = self.restore()
        self.prove(address, commit)
        self.tell(address)

    def choose_source(self) -> None:
        """This checkout where it is one with its whole history; else a repository made for the purpose."""
        if _git(self.source, "rev-parse", "--is-shallow-repository", check=False) == "false" and (
            int(_git(self.source, "rev-list", "--count", "HEAD", check=False) or 0) > 2
            and len(_git(self.source, "log", "--format=%h", "--", "README.md", check=False).splitlines()) > 1
        ):
            return
        self.source = self.settings.home / "demo" / REPO
        if not _git(self.source.parent, "-C", REPO, "rev-parse", "--verify", "--quiet", "HEAD", check=False):
            _make_sample(self.source)

    def snapshot(self) -> None:
        """Triggers pivo_snapshot for the source; waits until its commits are in the index."""
        _title("Snapshot", f"the history in {self.source} → HDFS → Kafka → index, by the DAG pivo_snapshot")
        report = self._follow("pivo_snapshot", {"repos": [{"url": str(self.source), "name": REPO}]})
        told = self.airflow.result("pivo_snapshot", report, "snapshot") or {}
        manifest = Archive(open_store(self.settings.archive, self.settings.archive_reader)).require(REPO)
        where = told.get("hdfs_path", f"/backups/{REPO}/{manifest.dirname}")
        console.print(f"  archived as [bold]{where}[/]: {manifest.commits:,} new commits, {len(manifest.refs)} refs")
        if not self._indexed(manifest.dirname):
            self._follow("pivo_index", {})
        if not self._indexed(manifest.dirname):
            raise StackError(
                f"{manifest.dirname} is announced, but not in the index.", "Look at the DAG pivo_index in Airflow."
            )

    def _indexed(self, dirname: str) -> bool:
        try:
            with IndexReader(self.settings.index) as index:
                found = index.query(
                    "SELECT 1 FROM v_snapshots WHERE repo_name = ? AND hdfs_path LIKE ?", (REPO, f"%/{dirname}")
                )
        except PivoError:
            return False  # no index yet
        return bool(found.rows)

    def ask(self) -> None:
        """Asks the agent two questions, as a person would."""
        # Where one repository is archived, the agent knows which one is meant.
        several = len(Archive(open_store(self.settings.archive, self.settings.archive_reader)).repos()) > 1
        for template in QUESTIONS:
            question = template.format(where=f" in {REPO}" if several else "")
            _title("Ask", f'pivo ask "{question}"')
            self._pivo("ask", question)

    def restore(self) -> tuple[str, str]:
        """Tells the agent to restore a commit from the middle of the history; gives the address and the commit."""
        history = _git(self.source, "rev-list", "--first-parent", "HEAD").split()
        commit = history[len(history) // 2]
        sentence = f"Restore the '{REPO}' repo to commit {commit[:8]}"
        _title("Restore", f'pivo ask "{sentence}" --yes --wait')
        self._pivo("ask", sentence, "--yes", "--wait")
        run = self.airflow.latest("pivo_restore")
        return str(self.airflow.result("pivo_restore", run.run_id, "push", 0)), commit

    def prove(self, address: str, commit: str) -> None:
        """Compares the restored repository with the source, with nothing but git."""
        _title("Prove it", f"plain git, on {address}")
        with tempfile.TemporaryDirectory() as folder:
            clone = Path(folder) / "restored.git"
            _git(None, "clone", "--quiet", "--mirror", address, str(clone))
            head = _git(clone, "rev-parse", "HEAD")
            branch = _git(clone, "symbolic-ref", "--short", "HEAD")
            restored, original = (_git(at, "rev-list", "--objects", commit).splitlines() for at in (clone, self.source))
            noticed = _git(clone, "fsck", "--full")  # fails the demo when an object is not whole
            commits = _git(clone, "rev-list", "--count", "HEAD")
        if head != commit or sorted(restored) != sorted(original):
            raise StackError(f"{address} is not what was asked for.", "Report this: it is a defect in PIVO.")
        console.print(f"  branch [bold]{branch}[/] is {head}")
        console.print(f"  {commits} commits and {len(restored):,} objects, each with the name it has in the source")
        console.print(f"  git fsck: every object is whole{f' ({escape(noticed)})' if noticed else ''}")

    def tell(self, address: str) -> None:
        """Where to look and what to type next."""
        settings = self.settings
        page = address.removesuffix(".git")
        console.print()
        console.print(
            Panel(
                f"Airflow    [bold]{settings.airflow_url}[/]\n"
                f"Login      [bold]admin[/] / [bold]{settings.airflow_password}[/]\n"
                f"Chat view  [bold]{settings.airflow_url}/pivo/[/]   (also in Airflow's menu)\n"
                f"Restored   [bold]{page}[/]\n\n"
                f'[dim]next[/]  .venv/bin/pivo ask "Who are the top contributors?"\n'
                f"      .venv/bin/pivo chat\n"
                f"      .venv/bin/pivo ingest https://… --name owner/name\n"
                f"      .venv/bin/pivo status\n"
                f"      make down",
                title="PIVO is up",
                border_style="green",
                expand=False,
            )
        )

    def _follow(self, dag: str, conf: dict[str, object]) -> str:
        run = self.airflow.trigger(dag, conf)
        console.print(f"  DAG run [dim]{run.url}[/]", soft_wrap=True)
        with bar() as progress:
            ended = self.airflow.wait(dag, run.run_id, progress=progress, timeout=_TIMEOUT)
        if ended.state != "success":
            raise StackError(
                f"{dag} failed: {self.airflow.failure(dag, run.run_id) or ended.state}", f"Its log: {run.url}"
            )
        return run.run_id

    def _pivo(self, *args: str) -> None:
        command = [sys.executable, "-c", "from pivo.cli import main; main()", *args]
        if subprocess.run(command, check=False).returncode:
            raise StackError(f"`pivo {args[0]}` failed, see above.", "`pivo status` says whether the stack is well.")


def _title(step: str, what: str) -> None:
    console.print(f"\n[bold cyan]{step}[/]  {escape(printable(what))}", soft_wrap=True)


def _git(at: Path | None, *args: str, check: bool = True) -> str:
    place = ["-C", str(at)] if at else []
    done = subprocess.run(["git", *place, *args], capture_output=True, text=True, check=False)
    if done.returncode and check:
        raise StackError(f"git {args[0]} failed: {done.stderr.strip()[:300]}", "Look at the output above.")
    return done.stdout.strip() if done.returncode == 0 else ""


def _make_sample(path: Path) -> None:
    """A small repository with some history, for a folder that has none."""
    shutil.rmtree(path, ignore_errors=True)  # half of one, from a demo that was interrupted
    path.mkdir(parents=True)
    _git(path, "init", "--quiet", "--initial-branch=main", ".")
    rows: list[str] = []
    for number in range(1, _SAMPLE_COMMITS + 1):
        body = "".join(f"Line {n} of the sample\n" for n in range(number))
        subject = f"Write line {number}"
        rows += [
            "commit refs/heads/main",
            f"committer Sample Author <sample@example.invalid> {1_780_000_000 + 3600 * number} +0000",
            f"data {len(subject)}\n{subject}",
            f"M 100644 inline README.md\ndata {len(body)}\n{body}",
        ]
    stream = "\n".join(rows) + "\n"
    subprocess.run(["git", "-C", str(path), "fast-import", "--quiet"], input=stream.encode(), check=True)
    _git(path, "checkout", "--quiet", "main")


if __name__ == "__main__":
    main()
