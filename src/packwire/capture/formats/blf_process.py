"""A program: the CAN frames of a BLF file on standard input, as records on standard output, by python-can.

It is run in a process of its own, whose memory, time and output are bounded, since a BLF file can unpack to
any size: `vector_blf` starts it. It imports nothing of packwire. A record: time in ns, 1 sent and -1 received
(as packwire's directions), bus, flags, identifier, count of bytes, and the bytes. Exit code 3: python-can is
missing; 4: the file is damaged, with one line on standard error that says how.
"""

import struct
import sys

RECORD = struct.Struct("<qbBBIB")
REMOTE, ERROR, EXTENDED, FD, SWITCHED, PASSIVE = 1, 2, 4, 8, 16, 32
NO_LIBRARY, DAMAGED = 3, 4
MAX_MEMORY, MAX_SECONDS, MAX_OUTPUT = 1 << 30, 120, 256 << 20


def _bound() -> None:
    """Bound the process, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    for limit, value in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CPU, MAX_SECONDS),
        (resource.RLIMIT_FSIZE, MAX_OUTPUT),
    ):
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            continue


def main() -> int:
    """Write the records; return the exit code."""
    _bound()
    try:
        from can.io.blf import BLFReader  # noqa: PLC0415 - an extra
    except ImportError:
        return NO_LIBRARY
    write, left = sys.stdout.buffer.write, MAX_OUTPUT
    try:
        for message in BLFReader(sys.stdin.buffer):
            flags = (
                REMOTE * message.is_remote_frame
                | ERROR * message.is_error_frame
                | EXTENDED * message.is_extended_id
                | FD * message.is_fd
                | SWITCHED * message.bitrate_switch
                | PASSIVE * message.error_state_indicator
            )
            bus = message.channel if isinstance(message.channel, int) else 0
            # A double of seconds since 1970 is good to less than a microsecond.
            time = round(message.timestamp * 1e6) * 1000
            data = b"" if message.is_remote_frame else bytes(message.data)[:64]
            way = -1 if message.is_rx else 1
            record = RECORD.pack(time, way, bus & 0xFF, flags, message.arbitration_id, len(data))
            left -= len(record) + len(data)
            if left < 0:
                sys.stderr.write("it holds too many frames: give it in parts\n")
                return DAMAGED
            write(record)
            write(data)
    except Exception as error:  # noqa: BLE001 - whatever a hostile file makes of a parser is damage
        sys.stdout.buffer.flush()
        sys.stderr.write(" ".join(f"{type(error).__name__}: {error}".split())[:200] + "\n")
        return DAMAGED
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
