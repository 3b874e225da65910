"""What the sales app tells whoever listens, once it is committed."""

from django.dispatch import Signal

# Sent with lead_id when a lead was saved by a person.
lead_saved = Signal()
# Sent with opportunity_id when an opportunity changed its stage.
opportunity_moved = Signal()
# Sent with order_id when an order or its lines were saved.
order_saved = Signal()
