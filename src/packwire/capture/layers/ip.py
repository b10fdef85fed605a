"""IPv4 [RFC 791] and IPv6 [RFC 8200]: from IP packets to what they carry, with the addresses.

The IP length decides where a packet ends, not the captured size: Ethernet pads short frames. A length of
zero is what a network card that splits packets itself leaves in a recording of its own machine; such a
packet goes on to its end. Fragments are counted and left out.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.link import Counts, Located
from packwire.columns import distinct_values, gather, one_of
from packwire.messages import Bytes, Int64s

TCP, UDP = 6, 17

_CUT = "cut off inside the IP header"
_MALFORMED = "with a malformed IP header"
_FRAGMENT = "IP fragments, which are not put together here"

_FRAGMENT_HEADER, _AUTHENTICATION = 44, 51
#: Hop-by-hop options, routing, destination options, mobility, HIP, Shim6: byte 1 counts 8 bytes beyond 8.
_EXTENSIONS = (0, 43, 60, 135, 139, 140)
_MAX_EXTENSIONS = 16


@dataclass(frozen=True, slots=True)
class Carried:
    """What IP packets carry: `located` begins behind the IP header; both ends index `addresses`."""

    located: Located
    protocol: Int64s
    source: Int64s
    destination: Int64s
    addresses: tuple[str, ...]

    def of_protocol(self, number: int, left_out: Counts) -> "Carried":
        """Return what carries one protocol; count what is neither TCP nor UDP."""
        kept = self.protocol == number
        left_out.add(
            "neither TCP nor UDP (ICMP and the like)",
            int(np.count_nonzero(~one_of(self.protocol, (TCP, UDP)))),
        )
        return self.where(kept)

    def where(self, kept: NDArray[np.bool_]) -> "Carried":
        """Return the rows of a mask."""
        return Carried(
            self.located.where(kept),
            self.protocol[kept],
            self.source[kept],
            self.destination[kept],
            self.addresses,
        )


def open_ip(data: Bytes, found: Located, left_out: Counts) -> Carried:
    """Take the IP headers off, in the order of the file."""
    found = found.holding(1, _CUT, left_out)
    version = data[found.at] >> 4
    left_out.add(_MALFORMED, int(np.count_nonzero((version != 4) & (version != 6))))
    four = _open_ipv4(data, found.where(version == 4), left_out)
    six = _open_ipv6(data, found.where(version == 6), left_out)
    if not len(six.located):
        return four
    return _merge(four, six)


def _merge(four: Carried, six: Carried) -> Carried:
    order = np.argsort(np.concatenate([four.located.row, six.located.row]), kind="stable")
    shift = len(four.addresses)
    columns = [
        np.concatenate([getattr(four.located, name), getattr(six.located, name)])[order]
        for name in ("row", "at", "end", "wire_end")
    ]
    return Carried(
        Located(*columns),
        np.concatenate([four.protocol, six.protocol])[order],
        np.concatenate([four.source, six.source + shift])[order],
        np.concatenate([four.destination, six.destination + shift])[order],
        four.addresses + six.addresses,
    )


def _open_ipv4(data: Bytes, found: Located, left_out: Counts) -> Carried:
    found = found.holding(20, _CUT, left_out)
    header = 4 * (data[found.at] & 15).astype(np.int64)
    total = gather(data, found.at + 2, ">u2").astype(np.int64)
    fragment = gather(data, found.at + 6, ">u2") & 0x3FFF != 0
    wrong = (header < 20) | ((total != 0) & (total < header))
    cut = (found.end - found.at < header) & ~wrong & ~fragment
    left_out.add(_MALFORMED, int(np.count_nonzero(wrong)))
    left_out.add(_FRAGMENT, int(np.count_nonzero(fragment & ~wrong)))
    left_out.add(_CUT, int(np.count_nonzero(cut)))
    kept = ~(wrong | fragment | cut)
    found, header, total = found.where(kept), header[kept], total[kept]
    source, destination = (gather(data, found.at + offset, ">u4").astype(np.int64) for offset in (12, 16))
    values = distinct_values(np.concatenate([distinct_values(source), distinct_values(destination)]))
    return Carried(
        _ending_at(found, total).moved(header),
        data[found.at + 9].astype(np.int64),
        np.searchsorted(values, source),
        np.searchsorted(values, destination),
        tuple(str(IPv4Address(int(value))) for value in values),
    )


def _open_ipv6(data: Bytes, found: Located, left_out: Counts) -> Carried:
    found = found.holding(40, _CUT, left_out)
    payload = gather(data, found.at + 4, ">u2").astype(np.int64)
    next_header = data[found.at + 6].astype(np.int64)
    base = found.at
    inner = _ending_at(found, np.where(payload > 0, payload + 40, 0)).moved(40)
    inner, next_header, base = _skip_extensions(data, inner, next_header, base, left_out)
    source, destination, addresses = _ipv6_addresses(data, base)
    return Carried(inner, next_header, source, destination, addresses)


def _ending_at(found: Located, total: Int64s) -> Located:
    """Return the packets with the end that their own length gives them; 0 leaves it where it is."""
    wire_end = np.where(total > 0, found.at + total, found.wire_end)
    return Located(found.row, found.at, np.minimum(found.end, wire_end), wire_end)


def _skip_extensions(
    data: Bytes, inner: Located, next_header: Int64s, base: Int64s, left_out: Counts
) -> tuple[Located, Int64s, Int64s]:
    """Step over IPv6 extension headers; `base` follows along so that the addresses are found again."""
    for _ in range(_MAX_EXTENSIONS):
        extended = one_of(next_header, (*_EXTENSIONS, _FRAGMENT_HEADER, _AUTHENTICATION))
        if not extended.any():
            break
        cut = extended & (inner.end - inner.at < 8)
        at = inner.at[extended & ~cut]
        fragment = np.zeros(len(inner), dtype=np.bool_)
        # A fragment header with neither an offset nor "more" is a whole packet [RFC 6946].
        fragment[extended & ~cut] = (next_header[extended & ~cut] == _FRAGMENT_HEADER) & (
            gather(data, at + 2, ">u2") & 0xFFF9 != 0
        )
        left_out.add(_CUT, int(np.count_nonzero(cut)))
        left_out.add(_FRAGMENT, int(np.count_nonzero(fragment)))
        kept = ~(cut | fragment)
        inner, next_header, base, extended = inner.where(kept), next_header[kept], base[kept], extended[kept]
        step = np.zeros(len(inner), dtype=np.int64)
        step[extended] = _extension_size(data, inner.at[extended], next_header[extended])
        next_header[extended] = data[inner.at[extended]]
        inner = inner.moved(step)
    return inner, next_header, base


def _extension_size(data: Bytes, at: Int64s, kind: Int64s) -> Int64s:
    count = data[at + 1].astype(np.int64)
    size = np.where(kind == _AUTHENTICATION, 4 * (count + 2), 8 * (count + 1))
    return np.where(kind == _FRAGMENT_HEADER, 8, size)


def _ipv6_addresses(data: Bytes, at: Int64s) -> tuple[Int64s, Int64s, tuple[str, ...]]:
    """Give every address a number: two halves of 64 bits get one each, then the pairs of numbers do."""
    count = len(at)
    both = np.concatenate([at + 8, at + 24])
    halves = [gather(data, both + offset, ">u8").astype(np.uint64) for offset in (0, 8)]
    known = [distinct_values(half) for half in halves]
    high, low = (np.searchsorted(values, half) for values, half in zip(known, halves, strict=True))
    pair = high * np.int64(max(len(known[1]), 1)) + low
    pairs = distinct_values(pair)
    code: Int64s = np.searchsorted(pairs, pair)
    texts = tuple(
        str(IPv6Address(int(known[0][number // len(known[1])]) << 64 | int(known[1][number % len(known[1])])))
        for number in pairs
    )
    return code[:count], code[count:], texts
