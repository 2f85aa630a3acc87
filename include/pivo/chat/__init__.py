"""The chat view and the archive page inside Airflow: a FastAPI app behind Airflow's own authentication, two pages.

mount.py     what the plugin mounts: light to import, makes the app with the first request, sets the headers
api.py       the app: pages, assets, who I am; errors as JSON
asking.py    routes: questions (server-sent events) and conversations, which talks.py keeps
acting.py    routes: proposals, their confirmation, the runs that follow, which standing.py watches
browsing.py  routes: the archive page, whose facts and files browse.py reads
guards.py    who asks, may they act, does this site's own page ask
host.py      what the app needs of Airflow: its login, its permissions, its API as that person, in process
render.py    Markdown to safe HTML; highlight.py colours code, in a process of its own
assets/      the pages; nothing of them comes from another host
"""
