"""The requests that packwire sends: all of them read, none can move a motor or change a setting."""

from packwire.vesc.commands import Command

#: FORWARD_CAN to this id reaches every device at once; the replies collide and carry no sender.
CAN_BROADCAST = 255

#: Zeros can never be a frame. A device's parser is not reset when a client goes: if that client broke off
#: inside a frame, up to 520 bytes of the next one's requests are swallowed. This much filler cures it.
FILLER = bytes(520)


def request(command: Command) -> bytes:
    """Return the payload of a request that is a command id alone."""
    return bytes((command,))


def values_selective(command: Command, mask: int) -> bytes:
    """Return GET_VALUES_SELECTIVE or GET_VALUES_SETUP_SELECTIVE for the fields in a 32-bit mask."""
    return bytes((command,)) + mask.to_bytes(4)


def stats(mask: int = 0x07FF) -> bytes:
    """Return GET_STATS for the fields in a 16-bit mask (the reply repeats it as 32 bits)."""
    return bytes((Command.GET_STATS,)) + mask.to_bytes(2)


def custom_config(index: int = 0) -> bytes:
    """Return GET_CUSTOM_CONFIG for one of the device's configurations."""
    return bytes((Command.GET_CUSTOM_CONFIG, index))


def forward_can(can_id: int, inner: bytes) -> bytes:
    """Wrap a request for the device with this CAN id (0..254).

    A FORWARD_CAN without an inner payload wedges the device, and 255 is broadcast: both are refused here.
    """
    if not 0 <= can_id < CAN_BROADCAST:
        raise ValueError(f"CAN id {can_id} cannot be asked: ids are 0 to 254, and 255 is broadcast")
    if not inner:
        raise ValueError("FORWARD_CAN without an inner request wedges the device")
    return bytes((Command.FORWARD_CAN, can_id)) + inner


def inner_request(payload: bytes) -> tuple[int | None, bytes]:
    """Return (CAN id, request) of a payload: the inner one where it is forwarded, else (None, payload).

    Nested forwarding is not unwrapped further.
    """
    if len(payload) > 2 and payload[0] == Command.FORWARD_CAN:
        return payload[1], payload[2:]
    return None, payload
