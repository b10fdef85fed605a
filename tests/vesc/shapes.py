"""Requests with the arguments that their command needs."""

from packwire.vesc.traits import traits


def shortest_request(command: int) -> bytes:
    """Return a request whose arguments are as short as they may be, and zeros."""
    shape = traits(command).arguments
    return bytes((command,)) + bytes(shape.before + shape.texts + shape.least)
