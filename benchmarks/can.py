"""CAN frames decoded by a model, all at once, beside cantools, one by one: the same signals, the same frames.

cantools is asked in an environment of its own, which `PACKWIRE_CANTOOLS` names (its python); without it only
our own time is shown. Both take turns; what counts is processor time, the median of the rounds.
"""

import math
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figure import Figure
from packwire.models.columns import decode_frames
from packwire.models.dbc import dbc_model

FRAMES = 1_000_000
_ROUNDS = 3
_DBC = """VERSION ""
BU_: BMS
BO_ 849 Limits: 8 BMS
 SG_ ChargeVoltage : 0|16@1+ (0.1,0) [0|0] "V" X
 SG_ ChargeCurrent : 16|16@1- (0.1,0) [0|0] "A" X
 SG_ DischargeCurrent : 32|16@1- (0.1,0) [0|0] "A" X
 SG_ DischargeVoltage : 48|16@1+ (0.1,0) [0|0] "V" X
BO_ 853 State: 8 BMS
 SG_ SOC : 0|16@1+ (1,0) [0|0] "%" X
 SG_ SOH : 16|16@1+ (1,0) [0|0] "%" X
BO_ 854 Values: 8 BMS
 SG_ Voltage : 0|16@1- (0.01,0) [0|0] "V" X
 SG_ Current : 16|16@1- (0.1,0) [0|0] "A" X
 SG_ Temperature : 32|16@1- (0.1,0) [0|0] "degC" X
"""
_IDS = (849, 853, 854)
_PEER = """
import sys, time, cantools
import numpy as np
base = sys.argv[1]
database = cantools.database.load_file(base + "/pack.dbc")
ids = np.load(base + "/ids.npy").tolist()
data = [bytes(row) for row in np.load(base + "/data.npy")]
begun = time.process_time()
for number, one in zip(ids, data):
    database.decode_message(number, one, decode_choices=False)
print(time.process_time() - begun)
"""


def measure() -> list[Figure]:
    """Return what was measured."""
    random = np.random.default_rng(1)
    ids = random.choice(_IDS, FRAMES).astype(np.uint32)
    data = random.integers(0, 256, (FRAMES, 8), dtype=np.uint8)
    sizes = np.full(FRAMES, 8)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "pack.dbc").write_text(_DBC)
        protocol = dbc_model(base / "pack.dbc")
        np.save(base / "ids.npy", ids)
        np.save(base / "data.npy", data)
        peer = os.environ.get("PACKWIRE_CANTOOLS")
        mine, theirs = [], []
        for _ in range(_ROUNDS):
            mine.append(_ours(protocol, ids, data, sizes))
            theirs.append(_theirs(peer, folder) if peer else math.nan)
    ours, peers = statistics.median(mine), statistics.median(theirs)
    figures = [Figure("1 000 000 CAN frames decoded by a model from a DBC file", ours * 1000, "ms")]
    if peer is None:
        return figures
    return [
        *figures,
        Figure("the same by cantools", peers * 1000, "ms"),
        Figure("against cantools", ours / peers, "times", at_most=0.2),
    ]


def _ours(protocol: Any, ids: Any, data: Any, sizes: Any) -> float:
    begun = time.process_time()
    decoded = decode_frames(protocol, ids, data, sizes)
    assert sum(len(rows) for rows, _ in decoded.values()) == FRAMES
    return time.process_time() - begun


def _theirs(python: str, folder: str) -> float:
    return float(subprocess.check_output([python, "-c", _PEER, folder], text=True))
