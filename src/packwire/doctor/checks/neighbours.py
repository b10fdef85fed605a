"""Other programs of this computer that are connected to the same device, where the system tells (Linux)."""

import ipaddress
from collections.abc import Iterable, Iterator
from pathlib import Path

#: The kernel's tables of TCP connections [proc_pid_net(5)].
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_MAX_BYTES = 4 << 20


def connected_from_here(addresses: Iterable[str], port: int, tables: Iterable[Path] = TABLES) -> int:
    """Count the connections of this computer to a place; 0 also where the system does not tell."""
    wanted = {ipaddress.ip_address(address.partition("%")[0]) for address in addresses}
    return sum(
        remote in wanted or getattr(remote, "ipv4_mapped", None) in wanted
        for table in tables
        for remote, remote_port in _established(table)
        if remote_port == port
    )


def _established(table: Path) -> Iterator[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    try:
        with table.open() as file:
            lines = file.read(_MAX_BYTES).splitlines()[1:]
    except OSError:
        return
    for line in lines:
        words = line.split()
        if len(words) > 3 and words[3] == _ESTABLISHED:
            host, _, port = words[2].partition(":")
            try:
                yield _address(host), int(port, 16)
            except ValueError:
                continue


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address as the kernel prints it: words of 32 bits, each in the byte order of x86 and ARM."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(words))
