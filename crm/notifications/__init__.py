"""People are told of what concerns them, and of nothing else; docs/notifications.md."""
