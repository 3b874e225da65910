"""What happened to rows, and undoing it; see docs/history.md."""
