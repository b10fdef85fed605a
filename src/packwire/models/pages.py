"""What is said of models on pages and in lists: what they are spoken over, how they are proved."""

from collections.abc import Mapping
from typing import Any

from packwire.models.protocol import ModelProtocol

#: How sure one can be, the best first.
_PROOFS = {"captures": "captures", "aiobmsble": "aiobmsble's vectors", "documents": "documents"}
NOTHING = "only itself"


def proof_words(content: Mapping[str, Any]) -> str:
    """Say what a model was compared with."""
    proof = content.get("proof", ())
    return ", ".join(words for key, words in _PROOFS.items() if key in proof) or NOTHING


def link_words(model: ModelProtocol) -> str:
    """Say what a model is spoken over."""
    kinds = [
        ("Bluetooth", bool(model.gatt)),
        ("serial", model.serial),
        ("TCP", model.tcp),
        ("CAN", model.can),
    ]
    return ", ".join(name for name, spoken in kinds if spoken) or "recordings"
