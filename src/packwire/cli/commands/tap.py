"""`packwire tap`: a wire with a recorder between a client and its VESC, or its hub."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from packwire.address import HUB_PORT, LinkKind, of_a_vesc, parse_address
from packwire.cli.limits import positive_or_none
from packwire.cli.options import ForOption, JsonOption, ListenOption
from packwire.errors import BadAddressError, BadOptionError

if TYPE_CHECKING:
    from packwire.tap.ends import UpstreamEnd

LOOPBACK = "127.0.0.1"
#: Addresses under which this computer is its own.
_HERE = frozenset({LOOPBACK, "::1", "localhost", "0.0.0.0", "::"})  # noqa: S104 - told, not listened on


def tap(
    *,
    upstream: Annotated[str, Parameter(alias="-u")],
    listen: ListenOption = None,
    record: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    keep_secrets: Annotated[bool, Parameter(negative=())] = False,
    json: JsonOption = False,
    for_: ForOption = None,
) -> int:
    """Stand between a client (such as VESC Tool) and its VESC or hub: show and record what they say.

    Connect the client to the --listen port instead. All passes through unchanged, byte for byte. Each
    login, request and reply is shown when it passes; requests that get no reply, and bytes that are in no
    frame, are counted. Times are seconds since the start, [1] is the first connection. Ctrl-C ends it.

    The recording is pcapng: Wireshark and every packwire command open it. Hub logins, configurations (they
    hold Wi-Fi keys), texts and programs are masked in it, and so are bytes outside of frames, which may be a
    torn one's rest. To watch it in Wireshark meanwhile: `packwire tap ... --record - | wireshark -k -i -`.

    With --json a record `lost` says how many were left out, because nobody took them in time: nothing holds
    up what passes.

    Parameters
    ----------
    upstream
        Where it all goes: host:65102 (a VESC), host:65101 (a hub), or serial:/dev/ttyACM0.
    listen
        The port for clients, or host:port; a port alone is open to this computer only, 0.0.0.0:65101 to
        others too. Without it, of a serial port, a pseudo-terminal is made and its path is shown.
    record
        Write a recording to this file, which must not exist yet; `-` is standard output.
    keep_secrets
        Record and show passwords and Wi-Fi keys in clear, and record everything as it is.
    """
    positive_or_none("--for", for_)
    if json and str(record) == "-":
        raise BadOptionError("--json and --record - both want standard output: record to a file")
    far, note = _upstream(upstream)
    where = _listen(listen, far)
    from packwire.cli.tap_run import run_tap  # noqa: PLC0415 - masking needs numpy, which --help does not

    return run_tap(far, where, record, keep_secrets=keep_secrets, json=json, seconds=for_, note=note)


def _upstream(text: str) -> "tuple[UpstreamEnd, str]":
    """Read an address, or `host:port`; return with it what is to be said about it."""
    from packwire.tap.ends import SerialUpstream, TcpUpstream  # noqa: PLC0415 - as above

    if "://" not in text and not text.lower().startswith("serial:"):
        return TcpUpstream(*_place(text, "--upstream")), ""
    if text.lower().startswith("veschub://") and "@" not in text:
        return TcpUpstream(*_place(text[len("veschub://") :].rstrip("/"), "--upstream", HUB_PORT)), ""
    address = of_a_vesc(parse_address(text), "tap")
    if address.node is not None:
        raise BadAddressError("a tap passes everything on: leave out /can/ in --upstream")
    if address.link is LinkKind.HUB:
        note = f"The id in --upstream is not used: the client logs in itself, as at {address.host}."
        return TcpUpstream(address.host, address.port), note
    if address.link is LinkKind.TCP:
        return TcpUpstream(address.host, address.port), ""
    if address.link is LinkKind.SERIAL:
        return SerialUpstream(address), ""
    raise BadAddressError(f"{text!r} is nothing to tap: give host:port or serial:/dev/ttyACM0")


def _listen(text: str | None, far: "UpstreamEnd") -> tuple[str, int | None]:
    from packwire.tap.ends import SerialUpstream, TcpUpstream  # noqa: PLC0415 - as above

    if text is None:
        if isinstance(far, SerialUpstream):
            return LOOPBACK, None
        raise BadOptionError("--listen says on which port the client connects here, such as --listen 65101")
    if text.isdecimal():
        text = f"{LOOPBACK}:{text}"
    host, port = _place(text, "--listen", free=True)
    if isinstance(far, TcpUpstream) and port == far.port and far.host in _HERE and host in {*_HERE, far.host}:
        raise BadOptionError(
            f"--listen and --upstream are the same place, {far.name}: what comes in would come in again and "
            "again; listen on another port"
        )
    return host, port


def _place(text: str, option: str, usual: int | None = None, *, free: bool = False) -> tuple[str, int]:
    """Read `host:port`, with brackets around an IPv6 address."""
    host, colon, port = text.rpartition(":")
    if usual is not None and (not colon or text.endswith("]")):
        host, port = text, str(usual)
    least = 0 if free else 1
    odd = any(character in "/@? " for character in host)
    if not host or odd or not port.isdecimal() or not least <= int(port[:6]) <= 65_535:
        shown = text.rpartition("@")[2]  # what stands before an @ may be a password
        raise BadOptionError(f"{option} {shown!r}: give host:port, such as 192.0.2.1:65102")
    return host.removeprefix("[").removesuffix("]"), int(port)
