"""Replies as the device sends them that was asked: one on a shared line, or a pack within another."""

from packwire.models.protocol import ModelProtocol


def from_unit(protocol: ModelProtocol, frame: bytes, unit: int) -> bytes:
    """Return a reply as the device of this address on a shared line sends it."""
    if protocol.bus is None:
        return frame
    at: int = protocol.bus["at"]
    if protocol.can:
        return frame[:at] + bytes([unit]) + frame[at + 1 :]
    framing = protocol.framing_of(frame) or protocol.framings[0]
    if framing.hexadecimal:
        at = 2 * at - framing.lead
        return framing.seal(frame[:at] + b"%02X" % unit + frame[at + 2 :])
    return framing.seal(frame[:at] + bytes([unit]) + frame[at + 1 :])


def as_asked(protocol: ModelProtocol, request: bytes, reply: bytes) -> bytes:
    """Return a reply with what is the same in it as in its request, such as the address of a pack."""
    for answer in protocol.family.answers:
        if (
            any(each.plus for each in answer.same)
            or not all(rule.fits(request) for rule in answer.request)
            or not all(rule.fits(reply) for rule in answer.reply)
        ):
            continue
        said = bytearray(reply)
        for each in answer.same:
            said[each.reply : each.reply + each.width] = request[each.request : each.request + each.width]
        framing = protocol.framing_of(reply) or protocol.framings[0]
        return framing.seal(bytes(said))
    return reply
