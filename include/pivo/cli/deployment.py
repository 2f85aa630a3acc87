"""`pivo init`: what a deployment needs once."""

from __future__ import annotations

import typer

from pivo.cli.output import console, emit
from pivo.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(init)


def init(json: bool = typer.Option(False, "--json", help="Print JSON for scripts.")) -> None:
    """Make the archive's folders in HDFS and the topics in Kafka where they are missing; `pivo up` does so itself."""
    from pivo.events import AUDIT_TOPIC, COMMIT_TOPIC, STATE_TOPIC, ensure_topics
    from pivo.stack.deployment import prepare_archive

    settings = Settings.load()
    prepare_archive(settings, settings.archive_superuser)
    ensure_topics(settings.kafka)
    topics = [COMMIT_TOPIC, AUDIT_TOPIC, STATE_TOPIC]
    if json:
        emit({"archive": settings.archive, "topics": topics})
    else:
        console.print(f"The archive is {settings.archive}; the topics are {', '.join(topics)}.", soft_wrap=True)
