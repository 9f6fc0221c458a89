"""The one way in which the set-up fails: a sentence for the user."""

from __future__ import annotations


class SetupError(Exception):
    """Set-up cannot go on; the text is one sentence that a user can act on, without a final full stop."""
