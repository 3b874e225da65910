"""Errors whose text a person may read."""


class UserVisibleError(Exception):
    """An error that says, in the reader's language, what went wrong and what to do."""
