"""Registers with Airflow the chat view and the archive page (an app under /pivo, two entries in the navigation) and
the receiver of a forge's webhook (an app of its own, as those who send to it have no login)."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from pivo.chat.mount import chat, webhook


class PivoPlugin(AirflowPlugin):
    """The chat view, the archive page, the webhook."""

    name = "pivo"
    fastapi_apps = [  # noqa: RUF012
        {"app": chat(), "url_prefix": "/pivo", "name": "PIVO chat"},
        {"app": webhook(), "url_prefix": "/pivo-webhook", "name": "PIVO webhook"},
    ]
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
