"""The pictures of a run folder (stub while developing)."""
from __future__ import annotations
from pathlib import Path
from typing import Any
def draw_report(folder: Path) -> list[Path]:
    return []
def one_line(summary: dict[str, Any]) -> str:
    return f"{summary['thickening_percent']:+.2f} %"
