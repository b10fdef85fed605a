"""CAN frames decoded by a model, all at once, beside cantools, one by one: the same signals, the same frames.

cantools is asked in an environment of its own, which `PACKWIRE_CANTOOLS` names (its python); without it only
our own time is shown.
"""

import os
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
best = 1e9
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter()
    for number, one in zip(ids, data):
        database.decode_message(number, one, decode_choices=False)
    best = min(best, time.perf_counter() - begun)
print(best)
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
        ours = min(_ours(protocol, ids, data, sizes) for _ in range(_ROUNDS))
        figures = [Figure("1 000 000 CAN frames decoded by a model from a DBC file", ours * 1000, "ms")]
        peer = os.environ.get("PACKWIRE_CANTOOLS")
        if peer is None:
            return figures
        np.save(base / "ids.npy", ids)
        np.save(base / "data.npy", data)
        said = subprocess.run(
            [peer, "-c", _PEER, folder, "1"], capture_output=True, text=True, check=True
        ).stdout
        theirs = float(said)
    return [
        *figures,
        Figure("the same by cantools", theirs * 1000, "ms"),
        Figure("against cantools", ours / theirs, "times", at_most=0.2),
    ]


def _ours(protocol: Any, ids: Any, data: Any, sizes: Any) -> float:
    begun = time.perf_counter()
    decoded = decode_frames(protocol, ids, data, sizes)
    assert sum(len(rows) for rows, _ in decoded.values()) == FRAMES
    return time.perf_counter() - begun
