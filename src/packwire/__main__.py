"""`packwire` and `python -m packwire`: Ctrl-C ends it without a word from the first moment on."""

import gc
import os
import signal
from typing import Final, Never

#: What a shell says of a program that Ctrl-C ended: 128 and the number of the signal.
INTERRUPTED: Final = 130


def main() -> Never:
    """Run the command line and end the process."""
    # Until the command line is imported, nobody would take a KeyboardInterrupt.
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    # What is loaded stays: looking through all of it for garbage takes a fifteenth of the start.
    gc.disable()
    from packwire.cli.main import main as run  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
