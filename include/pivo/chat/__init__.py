"""The chat view inside Airflow: a FastAPI app behind Airflow's own authentication, and its page.

mount.py     what the plugin mounts: light to import, makes the app with the first request, sets the headers
api.py       the routes: ask (server-sent events), proposals, runs
host.py      what the app needs of Airflow: who asks, may they act, Airflow's API as that person, in process
render.py    Markdown to safe HTML
assets/      the page; nothing of it comes from another host
"""
