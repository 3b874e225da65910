"""An app of somebody's own, as docs/adding-a-model.md shows it."""
