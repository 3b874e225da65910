"""Editing the rights of roles in the browser, with a preview; see docs/access.md."""
