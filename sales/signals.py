"""What sales tells the apps above it; sent when the transaction is committed.

order_saved(order_id)               an order was made, changed or moved
opportunity_moved(opportunity_id)   an opportunity was made, changed or moved
lead_saved(lead_id)                 a lead was made, changed or moved
"""

from typing import Any

from django.db import models, transaction
from django.dispatch import Signal

order_saved = Signal()
opportunity_moved = Signal()
lead_saved = Signal()


def announce(signal: Signal, row: models.Model) -> None:
    """Send the signal with the row's id on commit; a broken receiver harms nobody."""
    sender, argument = type(row), {f"{row._meta.model_name}_id": row.pk}
    transaction.on_commit(lambda: _send(signal, sender, argument))


def _send(signal: Signal, sender: type[models.Model], argument: dict[str, Any]) -> None:
    signal.send_robust(sender, **argument)
