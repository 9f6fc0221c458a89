"""Tests of runs that are killed, interrupted and go on share the tiny case with those of the run package."""

from __future__ import annotations

from tests.run.conftest import interrupted, left, tiny

__all__ = ["interrupted", "left", "tiny"]
