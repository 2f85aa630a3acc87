"""A forge tells of a push, and that repository is archived at once, not with the next night.

`delivery` proves who sent it and reads it, `ledger` remembers what was done about it, `receive` asks Airflow for a
run. The HTTP route is :mod:`pivo.chat.webhook`. Deliveries are GitHub's:
https://docs.github.com/webhooks/webhook-events-and-payloads.
"""

from __future__ import annotations

from pivo.webhook.delivery import LIMIT, Delivery, Forged, Unreadable, read, signed
from pivo.webhook.ledger import Ledger
from pivo.webhook.receive import Done, Receiver

__all__ = ["LIMIT", "Delivery", "Done", "Forged", "Ledger", "Receiver", "Unreadable", "read", "signed"]
