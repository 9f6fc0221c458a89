"""The machine figures were measured on, in a few words."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from run.launch import cores


def machine() -> str:
    """Processor, cores and how busy they were with other things."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        names = [
            line.split(":", 1)[1].strip()
            for line in information.read_text().splitlines()
            if "model name" in line
        ]
        model = names[0] if names else model
    return f"{model}, {cores()} cores, load {os.getloadavg()[0]:.1f} from elsewhere in the beginning"
