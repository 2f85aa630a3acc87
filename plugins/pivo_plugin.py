"""Registers the chat view and the archive page with Airflow: an app under /pivo, two entries in the navigation."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from pivo.chat.mount import chat


class PivoPlugin(AirflowPlugin):
    """The chat view and the archive page."""

    name = "pivo"
    fastapi_apps = [{"app": chat(), "url_prefix": "/pivo", "name": "PIVO chat"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        # relative: the UI's <base> puts Airflow's base path before it
        {
            "name": "PIVO",
            "href": "pivo/",
            "icon": "pivo/assets/icon.svg",
            "destination": "nav",
            "url_route": "pivo-chat",
            "nav_top_level": True,
        },
        {
            "name": "Archive",
            "href": "pivo/archive",
            "icon": "pivo/assets/archive.svg",
            "destination": "nav",
            "url_route": "pivo-archive",
            "nav_top_level": True,
        },
    ]
