"""Real data that lies beside the repository, not in it; tests that use it are skipped where it is missing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
CAPTURES = SHARED / "captures"
CASES = SHARED / "cases"
CAUSES = SHARED / "causes"
VECTORS = SHARED / "aiobmsble" / "frames.json"
REPLIES = SHARED / "vesc" / "replies.json"

needs_replies = pytest.mark.skipif(not REPLIES.exists(), reason="../shared/vesc/replies.json is not here")
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
needs_luac = pytest.mark.skipif(
    shutil.which("luac5.2") is None, reason="luac (Debian: lua5.2) is not installed"
)
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/aiobmsble is not here")
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="../shared/cases is not here")
needs_causes = pytest.mark.skipif(not CAUSES.exists(), reason="../shared/causes is not here")
needs_captures = pytest.mark.skipif(not CAPTURES.exists(), reason="../shared/captures is not here")


def recorded_replies() -> dict[str, Any]:
    """Return replies recorded from VESC firmware, by name; empty where the file is missing."""
    return json.loads(REPLIES.read_text()) if REPLIES.exists() else {}
