"""Files <-> messages: capture formats, the protocol layers within them, and one call that opens a file.

>>> capture = open_capture("session.pcap")      # doctest: +SKIP
>>> capture.messages.matrix(capture.messages.size == 130)      # doctest: +SKIP
"""

from packwire.capture.open import Capture, open_capture

__all__ = ["Capture", "open_capture"]
