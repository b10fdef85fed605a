"""ATT in the texts of tools that show its opcodes [Bluetooth Core, vol. 3, part F, 3.4.8]."""

from packwire.att import Opcode
from packwire.capture.packets import PacketDirection

#: By an opcode with a value: which way it goes, and what the channel is called.
OPCODES: dict[int, tuple[PacketDirection, str]] = {
    Opcode.READ_RSP: (PacketDirection.RECEIVED, "read"),
    Opcode.WRITE_REQ: (PacketDirection.SENT, "write"),
    Opcode.WRITE_CMD: (PacketDirection.SENT, "write"),
    Opcode.NOTIFICATION: (PacketDirection.RECEIVED, "notify"),
    Opcode.INDICATION: (PacketDirection.RECEIVED, "indicate"),
}
