"""How to record on each system: the exact steps, as data, for `packwire capture` and its documentation."""

from typing import NamedTuple


class Guide(NamedTuple):
    """The steps for one system. `tools` are the programs that can record here, the first found is used."""

    title: str
    steps: tuple[str, ...]
    tools: tuple[str, ...] = ()


GUIDES: dict[str, Guide] = {
    "android": Guide(
        "Android phone: the Bluetooth HCI snoop log",
        (
            "Settings > About phone: tap `Build number` seven times; that opens the developer options.",
            (
                "Settings > System > Developer options > `Enable Bluetooth HCI snoop log`: choose `Enabled`"
                " (or `Full`), not `Filtered`."
            ),
            "Turn Bluetooth off and on again, so that the log begins.",
            "Open the vendor's app, wait until it shows the battery, and do what you want to understand.",
            (
                "With a cable: allow USB debugging and run `packwire capture android` on the computer;"
                " it fetches the log with adb."
            ),
            (
                "Without: Developer options > `Take bug report`, share the .zip to your computer, and run"
                " `packwire info` on it."
            ),
        ),
        ("adb",),
    ),
    "ios": Guide(
        "iPhone or iPad: Apple's Bluetooth logging profile",
        (
            (
                "On the phone, open developer.apple.com/bug-reporting/profiles-and-logs, download the profile"
                " `Bluetooth for iOS`, install it in Settings, and restart the phone."
            ),
            (
                "On a Mac, install `Additional Tools for Xcode` from developer.apple.com/download/all and"
                " open Hardware/PacketLogger."
            ),
            "Connect the phone with a cable; PacketLogger: File > New iOS Trace.",
            (
                "Open the vendor's app on the phone, wait until it shows the battery, and do what you want to"
                " understand."
            ),
            "File > Save as .pklg, then run `packwire info` on that file.",
        ),
    ),
    "macos": Guide(
        "Mac: PacketLogger",
        (
            (
                "Install `Additional Tools for Xcode` from developer.apple.com/download/all and open"
                " Hardware/PacketLogger."
            ),
            (
                "Start the trace, then open the vendor's app (iPhone apps run on a Mac with Apple silicon)"
                " and wait until it shows the battery."
            ),
            "File > Save as .pklg, then run `packwire info` on that file.",
        ),
    ),
    "linux": Guide(
        "Linux: btmon records what this computer's Bluetooth adapter says",
        (
            "btmon comes with BlueZ and needs root: sudo btmon -w session.btsnoop",
            "Connect to the battery with whatever reads it, such as Home Assistant or a script.",
            "Stop btmon with Ctrl-C, then run `packwire info session.btsnoop`.",
        ),
        ("btmon",),
    ),
    "windows": Guide(
        "Windows: Microsoft's BTVS, or Wireshark with a USB adapter",
        (
            "Install the Bluetooth Test Platform (BTP) from learn.microsoft.com/windows-hardware.",
            (
                "Run `C:\\BTP\\v1.14.0\\x86\\btvs.exe -Mode Wireshark` as administrator (the version in the"
                " path may differ); Wireshark opens and shows the HCI traffic."
            ),
            (
                "Or, with a Bluetooth adapter on USB: install Wireshark with USBPcap and record its bus, from"
                " before the connection is made."
            ),
            (
                "Connect to the battery, wait until its values show, stop, save as .pcapng, and run `packwire"
                " info` on that file."
            ),
        ),
    ),
    "network": Guide(
        "Network: what a VESC, a hub or another TCP device says",
        (
            "On a computer that the traffic passes: sudo tcpdump -i any -s 0 -w session.pcap",
            "Open the app or the program, wait until it shows the battery, then stop with Ctrl-C.",
            "Run `packwire info session.pcap`.",
        ),
        ("dumpcap", "tcpdump"),
    ),
}

#: One session of the procedure that finds a switch.
SWITCH_STEPS = (
    "Set the switch to `{state}` in the vendor's app.",
    "Close the app and open it again, to see that the battery took it.",
    "Start the recording.",
    (
        "Open the page with the battery's values, wait ten seconds, go back; three times or more. Touch"
        " nothing else."
    ),
    "Stop the recording.",
)
