"""Protocol layers, from the link up: each takes the columns of the layer below and gives its own.

What a layer leaves out is counted by reason, in words for a user, so that nothing vanishes silently.

Which of them a recording needs, its link types say. They are listed here, so that the others need not be
imported to find out that there is nothing for them.
"""

from packwire.capture.packets import (
    HCI_ACL,
    HCI_COMMAND,
    HCI_EVENT,
    HCI_ISO,
    HCI_SCO,
    LINKTYPE_CAN_SOCKETCAN,
    LINKTYPE_HCI_H4,
)

#: HCI as UART, with direction, of a Linux monitor; on USB (Linux 189 and 220, USBPcap 249); on the air.
BLUETOOTH = frozenset(
    (
        LINKTYPE_HCI_H4,
        201,
        254,
        189,
        220,
        249,
        251,
        256,
        272,
        HCI_COMMAND,
        HCI_ACL,
        HCI_SCO,
        HCI_EVENT,
        HCI_ISO,
    )
)
CAN = frozenset((LINKTYPE_CAN_SOCKETCAN,))
#: Loopback, Ethernet, raw IP, Linux "cooked".
IP = frozenset((0, 108, 1, 12, 14, 101, 228, 229, 113, 276))
