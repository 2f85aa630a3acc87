"""PIVO as pip installs it, away from any checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

from pivo.settings import CHECKOUT

SEEN = """
import sys
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
import pivo
from pivo.settings import Settings

settings = Settings.load({})
assert Path(pivo.__file__).is_relative_to(sys.prefix), pivo.__file__
assert settings.root == Path(sys.prefix, "share", "pivo").resolve(), settings.root
assert settings.home == Path("~/.pivo").expanduser(), settings.home
assert (settings.root / "include" / "policy.yaml").is_file()
assert list(settings.root.glob("plugins/*.py"))
bag = DagBag(settings.root / "dags", bundle_path=settings.root / "dags")
assert not bag.import_errors, bag.import_errors
jobs = [t.application for dag in bag.dags.values() for t in dag.tasks if hasattr(t, "application")]
assert jobs and all(Path(job).is_relative_to(settings.root) and Path(job).exists() for job in jobs), jobs
print(*sorted(bag.dags))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The virtual environment that PIVO was installed to; the packages that it needs are this one's."""
    tree, made = tmp_path_factory.mktemp("tree") / "pivo", tmp_path_factory.mktemp("venv")
    shutil.copytree(CHECKOUT / "include", tree / "include", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for folder in ("dags", "plugins", "spark_jobs"):
        shutil.copytree(CHECKOUT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / file, tree)
    venv.create(made, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(made)}))
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    words = ["install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    _run([sys.executable, "-m", "pip", "--python", str(made / "bin" / "python"), *words, str(tree)], made)
    return made


def _run(words: list[str], home: Path) -> str:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PIVO_", "PYTHONPATH", "COV"))} | {
        "HOME": str(home)
    }
    done = subprocess.run(words, env=env, cwd=home, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_dags_jobs_and_policy_come_with_it(installed: Path) -> None:
    dags = sorted(path.stem for path in (CHECKOUT / "dags").glob("*.py"))
    assert _run([str(installed / "bin" / "python"), "-c", SEEN], installed).splitlines()[-1].split() == dags


def test_its_command_works(installed: Path) -> None:
    assert _run([str(installed / "bin" / "pivo"), "--version"], installed) == f"pivo {version('pivo')}\n"
