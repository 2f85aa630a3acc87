"""Registers the chat view with Airflow: its app under /pivo, and an entry in the navigation. Nothing else is here."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from pivo.chat.mount import chat


class PivoPlugin(AirflowPlugin):
    """The chat view."""

    name = "pivo"
    fastapi_apps = [{"app": chat(), "url_prefix": "/pivo", "name": "PIVO chat"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "PIVO",
            "href": "pivo/",  # relative: the UI's <base> puts Airflow's base path before it
            "icon": "pivo/assets/icon.svg",
            "destination": "nav",
            "url_route": "pivo-chat",
            "nav_top_level": True,
        }
    ]
