"""What a process holds in memory, and how much a soak lets it grow."""

import os
from pathlib import Path

GROWTH = 16.0
"""MiB that a process may grow by once it has warmed up."""


def resident(pid: int | None = None) -> float:
    """Return the resident memory of a process (this one) in MiB."""
    status = Path(f"/proc/{pid or os.getpid()}/status").read_text()
    return float(status.partition("VmRSS:")[2].split()[0]) / 1024
