"""What the service app tells whoever listens, once it is committed."""

from django.dispatch import Signal

# Sent with ticket_id when a ticket's text was saved.
ticket_saved = Signal()
# Sent with ticket_id when a person decided about a ticket's category.
category_decided = Signal()
