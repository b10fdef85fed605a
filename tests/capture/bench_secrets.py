"""Every command on random recordings with secrets in all places, and what of them is found in the outputs.

`python -m tests.capture.bench_secrets [COUNT [SEED]]` prints the figure; it takes some minutes for 3 000.
"""
# ruff: noqa: T201 - it is a program that prints

import io
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from random import Random

from packwire.capture import open_capture
from packwire.cli.commands.compare import compare
from packwire.cli.commands.convert import convert
from packwire.cli.commands.decode import decode
from packwire.cli.commands.diff import diff
from packwire.cli.commands.groups import groups
from packwire.cli.commands.info import info
from packwire.cli.commands.messages import messages
from packwire.cli.commands.pairs import pairs
from packwire.cli.main import app
from packwire.direction import Direction
from packwire.doctor.transcript import Transcript
from packwire.errors import PackwireError
from tests.apk.writer import write_app
from tests.capture.secret_recordings import Recording, recording

#: So many bytes of a secret in a row are a leak; of a short one, all of them.
_WINDOW = 6


def commands(path: Path) -> dict[str, tuple[bool, Callable[[], object]]]:
    """Return by name what is run, and whether it is for a file that leaves the house."""
    name = str(path)
    return {
        "info": (False, partial(info, path)),
        "info --redact --json": (True, partial(info, path, redact=True, json=True)),
        "messages": (False, partial(messages, path)),
        "messages --json": (False, partial(messages, path, json=True)),
        "messages --redact": (True, partial(messages, path, redact=True)),
        "messages --redact --json": (True, partial(messages, path, redact=True, json=True)),
        "messages --redact --csv": (True, partial(messages, path, redact=True, csv=True)),
        "messages --redact --raw": (True, partial(messages, path, redact=True, raw=True)),
        "decode": (True, partial(decode, path, fields=True, hex=True)),
        "decode --brief": (True, partial(decode, path, brief=True)),
        "decode --json": (True, partial(decode, path, json=True, hex=True, fields=True)),
        "decode --csv": (True, partial(decode, path, csv=True)),
        "groups": (False, partial(groups, path)),
        "groups --redact --json": (True, partial(groups, path, redact=True, json=True)),
        "pairs --redact": (True, partial(pairs, path, redact=True)),
        "pairs --json": (False, partial(pairs, path, json=True)),
        "diff --redact": (True, partial(diff, name, name, redact=True, all=True)),
        "compare": (False, partial(compare, path, path, all=True)),
        "compare --json": (False, partial(compare, path, path, json=True)),
        **{
            each: (leaves, partial(app, [*each.format(name).split(), *more]))
            for each, leaves, more in (
                ("messages --decode {}", False, ()),
                ("messages --decode --redact --json {}", True, ()),
                ("fields --all {}", False, ()),
                ("fields --all --redact --json {}", True, ()),
                ("find {} 83.92V soc=87% --all --redact", True, ()),
                ("draft {}", True, ()),
                ("draft --json {}", True, ()),
                ("checksum {}", False, ()),
                ("plot {} dd 4-5:u16", False, ()),
                ("doctor --timeline --log {}", False, ()),
                ("doctor --json --log {}", False, ()),
                ("apk --all --capture {}", True, (str(write_app(path.with_name("app.apk"))),)),
            )
        },
    }


def outputs(made: Recording, folder: Path) -> Iterator[tuple[str, bool, bytes]]:
    """Yield the name of each output, whether it leaves the house, and what it says."""
    path = folder / f"recording{made.suffix}"
    path.write_bytes(made.content)
    for name, (leaves, run) in commands(path).items():
        yield name, leaves, _said(run)
    for form in ("pcap", "pcapng", "btsnoop", "csv"):
        target = folder / f"out.{form}"
        target.unlink(missing_ok=True)
        said = _said(partial(convert, path, target))
        yield f"convert to {form}", True, said + (target.read_bytes() if target.exists() else b"")
    for form in ("md", "html"):
        for words in (("doctor", "--log", path), ("compare", path, path)):
            target = folder / f"{words[0]}.{form}"
            said = _said(partial(app, [*map(str, words), "--report", str(target)]))
            made_of_it = target.read_bytes() if target.exists() else b""
            yield f"{words[0]} --report .{form}", False, said + made_of_it
    yield "doctor's report", True, _tape(path)


def _said(run: Callable[[], object]) -> bytes:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        try:
            run()
        except PackwireError as error:
            out.write(str(error))
        except SystemExit:
            pass
    return out.getvalue().encode(errors="surrogateescape")


def _tape(path: Path) -> bytes:
    """Return what a doctor would show of the VESC traffic of a recording, had it been its own."""
    shown = []
    for connection in open_capture(path).vesc.connections:
        tape = Transcript()
        for side, stream in enumerate(connection.connection.streams):
            way = Direction.TO_DEVICE if side == 0 else Direction.FROM_DEVICE
            lines = [line.size for line in connection.hub_lines if line.side == side]
            tape.add(1, way, stream.joined()[sum(lines) :])
        shown += [stretch.data.hex(" ") for stretch in tape.redacted()]
    return "\n".join(shown).encode()


def found_in(output: bytes, secrets: list[bytes]) -> list[bytes]:
    """Return the pieces of secrets that an output shows: as they are, or in hexadecimal."""
    lower = output.lower()
    pieces = {each[at : at + _WINDOW] for each in secrets for at in range(max(len(each) - _WINDOW, 0) + 1)}
    return [
        piece
        for piece in pieces
        if any(piece)
        and (
            _stands_in(piece, output)
            or piece.hex().encode() in lower
            or piece.hex(" ").encode() in lower
            or piece.hex(":").encode() in lower
        )
    ]


def _stands_in(piece: bytes, output: bytes) -> bool:
    """Tell whether a piece is in the text; one of digits alone may be part of a longer hexadecimal number."""
    if not piece.isdigit():
        return piece in output
    return re.search(rb"(?<![0-9a-fA-F])%b(?![0-9a-fA-F])" % piece, output) is not None


def leaks(seed: int) -> tuple[str, list[tuple[str, str]]]:
    """Make one recording; return its kind, and each leak as (command, what)."""
    made = recording(Random(seed))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, leaves, output in outputs(made, Path(folder)):
            secrets = made.doors + (made.private if leaves else [])
            found += [(name, repr(piece)) for piece in found_in(output, secrets)]
    return made.kind, found


def main() -> int:
    """Run and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    began, kinds, leaking = time.monotonic(), Counter[str](), 0
    with ProcessPoolExecutor() as pool:
        for seed, (kind, found) in enumerate(
            pool.map(leaks, range(first, first + count), chunksize=8), first
        ):
            kinds[kind] += 1
            leaking += bool(found)
            if found:
                print(f"{seed} {kind}: {found[:3]}")
    print(f"{count} recordings, {leaking} with a leak, {time.monotonic() - began:.0f} s")
    print(", ".join(f"{number} x {kind}" for kind, number in kinds.most_common()))
    return 1 if leaking else 0


if __name__ == "__main__":
    sys.exit(main())
