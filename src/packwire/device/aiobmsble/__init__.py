"""Packs that are read by a plugin of aiobmsble, as it comes, behind the interface of every device."""

from packwire.device.aiobmsble.device import AiobmsbleDevice

__all__ = ["AiobmsbleDevice"]
