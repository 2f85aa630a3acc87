"""Airflow's side of PIVO: its Connections as Settings, its ways of failing. Imports of airflow stay in functions.

| Connection | type | gives |
|---|---|---|
| pivo_hdfs | webhdfs | host, port, login (the reader); extra: `path`, `writer`, `keeper`, and :func:`_archive`'s |
| pivo_kafka | kafka | extra: librdkafka's settings |
| pivo_spark | spark | host (`spark://…`), port |
| pivo_github | http | host (the API's base URL), password (the token) |
| pivo_webhook | any | password (the secret that signs deliveries); optional |
| pivo_git | http | host (`https://git.example.org`), login, password: git over http besides the forge; optional |
| pivo_ssh | ssh | extra: `private_key`, `known_hosts` (ssh's file); password: what opens the key; optional |
| pivo_gemini | any | password (the key); extra: `model`, `base_url`; optional |
| pivo_alert | smtp, http | who is told of a missed promise (:func:`alert`); optional |
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from pivo.errors import PivoError
from pivo.gitaccess import NOWHERE, GitAccess
from pivo.masking import known, learn, masked
from pivo.settings import ForgeAccess, Settings, learn_kafka, lines
from pivo.stack.part import write_config

ERROR_MARK = "PIVO-ERROR:"
"""Begins the log line that says why a task failed; the orchestrator's client looks for it."""

# What the index trigger's Connection needs and librdkafka's plain clients do not.
_CONSUMER_ONLY = {"group.id", "enable.auto.commit", "auto.offset.reset"}

_log = logging.getLogger(__name__)


def settings() -> Settings:
    """The settings with the values of Airflow's Connections laid over them; read at run time, never at parse time."""
    _quiet()
    base = Settings.load()
    hdfs, kafka, spark = _connection("pivo_hdfs"), _connection("pivo_kafka"), _connection("pivo_spark")
    forge, gemini, webhook = (_connection(f"pivo_{name}") for name in ("github", "gemini", "webhook"))
    if hdfs:
        extra = hdfs.extra_dejson
        path = str(extra.get("path", "/backups")).strip("/")
        base = replace(
            base,
            archive=_archive(hdfs, path),
            archive_reader=hdfs.login or base.archive_reader,
            archive_writer=str(extra.get("writer", base.archive_writer)),
            archive_keeper=str(extra.get("keeper", base.archive_keeper)),
        )
    if kafka:
        told = {k: _text(v) for k, v in kafka.extra_dejson.items() if k not in _CONSUMER_ONLY}
        learn_kafka(told)
        base = replace(base, kafka={**base.kafka, **told})
    if spark and spark.host:
        host = spark.host if "://" in spark.host else f"spark://{spark.host}"
        base = replace(base, spark_master=f"{host}:{spark.port}" if spark.port else host)
    if forge and forge.host:
        host = forge.host if "://" in forge.host else f"https://{forge.host}"
        learn(forge.password or "")
        base = replace(base, forge=ForgeAccess(host.rstrip("/"), forge.password or ""))
    base = replace(base, git=_git_access(base))
    if webhook and webhook.password:
        learn(*lines(webhook.password))
        base = replace(base, webhook_secrets=lines(webhook.password))
    if gemini and gemini.password:
        learn(gemini.password)
        extra = gemini.extra_dejson
        base = replace(
            base,
            gemini=replace(
                base.gemini,
                api_key=gemini.password,
                model=str(extra.get("model", base.gemini.model)),
                base_url=extra.get("base_url") or base.gemini.base_url,
            ),
        )
    _hide()
    return base


def _archive(hdfs: Any, path: str) -> str:
    """The archive's address, with how it is reached: `use_ssl`, `verify`, `auth`, `principal`, `keytab`, `proxy`."""
    extra = hdfs.extra_dejson
    tls = str(extra.get("use_ssl", "")).lower() in {"true", "1"}
    ca = extra.get("verify")
    options = {name: str(extra[name]) for name in ("auth", "principal", "keytab", "proxy") if extra.get(name)}
    options |= {"ca": ca} if tls and isinstance(ca, str) else {}
    scheme, port = ("swebhdfs", 9871) if tls else ("webhdfs", 9870)
    return f"{scheme}://{hdfs.host}:{hdfs.port or port}/{path}" + (f"?{urlencode(options)}" if options else "")


def _hide() -> None:
    """Tells Airflow, too, what to mask in the logs of tasks: it knows what Connections hold, but not what files do, nor
    how a server is told it."""
    from airflow.sdk.log import mask_secret

    mask_secret(list[Any](known()))


def _git_access(base: Settings) -> GitAccess:
    """The Connections pivo_git and pivo_ssh over the secret files. git and ssh take files: they are made, for their
    owner only, beside the others."""
    access, folder = base.git, base.home / "secrets" / "connections"

    def file(name: str, text: str) -> Path:
        learn(text)
        write_config(folder / name, text.strip() + "\n", mode=0o600)
        return folder / name

    if (git := _connection("pivo_git")) and git.host and git.password:
        scheme, _, host = (git.host if "://" in git.host else f"{git.schema or 'https'}://{git.host}").partition("://")
        host, slash, path = host.partition("/")
        port = f":{git.port}" if git.port else ""
        login = f"{quote(git.login or '', safe='')}:{quote(git.password, safe='')}"
        learn(git.password)
        access = replace(access, credentials=file("git-credentials", f"{scheme}://{login}@{host}{port}{slash}{path}"))
    if ssh := _connection("pivo_ssh"):
        extra = ssh.extra_dejson
        if key := extra.get("private_key"):
            access = replace(access, ssh_key=file("ssh-key", key), ssh_passphrase=NOWHERE)
        if passphrase := extra.get("private_key_passphrase") or ssh.password:
            access = replace(access, ssh_passphrase=file("ssh-passphrase", passphrase))
        if known := extra.get("known_hosts"):
            access = replace(access, known_hosts=file("ssh-known-hosts", known))
    return access


def _quiet() -> None:
    """httpx tells every address at its level INFO; some are secrets: a chat's webhook, a signed link to an object."""
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _connection(conn_id: str) -> Any:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None


@contextmanager
def audited(action: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Around a task's work: who triggered the run, what was done and what came of it, on the audit log. The block
    adds what it learns to the facts."""
    from airflow.sdk import get_current_context

    from pivo.events.audit import audited as on_record
    from pivo.events.audit import open_audit

    context = get_current_context()
    dag_run, task = context["dag_run"], context["ti"].task_id
    who = getattr(dag_run, "triggering_user_name", None) or "schedule"
    told = {"dag": dag_run.dag_id, "run_id": dag_run.run_id, "task": task, "origin": "dag", **parameters}
    with open_audit(settings()) as log, on_record(log, who, action, **told) as facts:
        yield facts


@contextmanager
def task_errors() -> Iterator[None]:
    """Ends a task that failed for a reason a person can mend with one line in its log, retried only where it helps."""
    from airflow.sdk.exceptions import AirflowFailException

    try:
        yield
    except PivoError as err:
        _log.error("%s %s", ERROR_MARK, " ".join(str(err).split()))
        if err.retry:
            raise
        raise AirflowFailException(str(err)) from None


def alert(context: Any) -> None:
    """Tells a person that a task failed and why, by the Connection `pivo_alert`; what was told within a day is not
    told again. Of type smtp it is an e-mail (extra: `from_email`, `to`), of any other a POST of
    `{"text": …, "dag_id": …, "run_id": …, "url": …}` to its host, a whole URL, with its password as a bearer token. A
    URL that is a secret goes into the extra, as `url`: Airflow encrypts that, and not the host.

    Never raises: an alert that does not get through is an error in the log.
    """
    import httpx
    from airflow.sdk.exceptions import AirflowException

    from pivo.alerts import Told

    run, why = context["dag_run"], " ".join(str(context.get("exception") or "see its log").split())
    text = f"PIVO: {run.dag_id} failed. {why}"
    _log.error("ALERT %s", text)
    connection = _connection("pivo_alert")
    told = Told(Settings.load().home / "alerts.json")
    if connection is None or not told.is_news(f"{run.dag_id} {why}"):
        return
    page = getattr(context["ti"], "log_url", "")
    try:
        if connection.conn_type == "smtp":
            _mail(connection, f"PIVO: {run.dag_id} failed", text, page)
        else:
            _post(connection, {"text": text, "dag_id": run.dag_id, "run_id": run.run_id, "url": page})
    except (OSError, ValueError, KeyError, httpx.HTTPError, httpx.InvalidURL, AirflowException) as err:
        _log.error("the alert did not get through: %s: %s", type(err).__name__, masked(str(err)))
    else:
        told.remember(f"{run.dag_id} {why}")


def _mail(connection: Any, subject: str, text: str, page: str) -> None:
    from html import escape

    from airflow.providers.smtp.hooks.smtp import SmtpHook

    extra, login = connection.extra_dejson, f"\0{connection.login}\0{connection.password}"
    learn(connection.password or "", base64.b64encode(login.encode()).decode())  # mail servers repeat what they refuse
    _hide()
    with SmtpHook(smtp_conn_id="pivo_alert") as smtp:  # not its notifier, which writes the server's words to a log
        smtp.send_email_smtp(
            from_email=extra.get("from_email") or connection.login,
            to=extra["to"],
            subject=subject,
            html_content=f"<p>{escape(text)}</p><p><a href='{escape(page)}'>{escape(page)}</a></p>",
        )


def _post(connection: Any, body: dict[str, str]) -> None:
    import httpx

    url = str(connection.extra_dejson.get("url") or connection.host)
    _quiet()
    learn(url, urlsplit(url).path.strip("/"), connection.password or "")  # a chat's webhook is its own password
    _hide()
    headers = {"Authorization": f"Bearer {connection.password}"} if connection.password else {}
    httpx.post(url, json=body, headers=headers, timeout=10).raise_for_status()


def fail_where_skipped(task_id: str, why: str) -> None:
    """Fails this teardown, for the reason `why`, if `task_id` was skipped though tasks of its run have failed.

    A run that is marked as failed by hand skips what is left, and Airflow then finds that all has gone well.
    """
    from airflow.sdk import get_current_context
    from airflow.sdk.exceptions import AirflowFailException

    ti: Any = get_current_context()["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    # a mapped task's instances are called push_0, push_1, …
    mine = {state for name, state in states.items() if name == task_id or name.rpartition("_")[0] == task_id}
    if mine <= {"skipped", "removed", None} and "failed" in states.values():
        _log.error("%s %s", ERROR_MARK, why)
        raise AirflowFailException(why)
