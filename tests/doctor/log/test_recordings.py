"""`doctor --log` on recordings: what their sessions tell is the verdict, whoever was recorded."""

import pytest

from packwire.capture.layers.displaced import displaced
from packwire.capture.layers.spoken import read_vesc
from packwire.check import Confidence
from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.doctor.compare.causes import Cause
from packwire.doctor.log.examine import LogDiagnosis, diagnose_file
from packwire.vesc.replies import BMS_GET_VALUES
from tests.capture.builder import Session, connections
from tests.capture.vesc_session import VescSession, bms, version
from tests.doctor.compare.clients import BMS, FW_VERSION, LOGIN
from tests.shared_data import CAPTURES, CASES, needs_captures, needs_cases

NO_BMS = b"\x60" + BMS_GET_VALUES.encode(BMS_GET_VALUES.decode(bms(0.0, 0)).reply._replace(can_id=255))


def diagnosed(tmp_path, session: Session) -> LogDiagnosis:
    path = tmp_path / "session.pcap"
    path.write_bytes(session.pcap())
    return diagnose_file(path)


def polls(session: VescSession, count: int, reply: bytes, *, pause: float) -> VescSession:
    for _ in range(count):
        session.ask(BMS)
        if reply:
            session.answer(reply)
        session.time += int(pause * 1e9)
    return session


def test_a_client_whose_replies_are_on_the_wire_and_that_waits_for_them(tmp_path):
    session = VescSession().open()
    for _ in range(3):
        session.ask(FW_VERSION).answer(version())
        session.time += 20_000_000
        session.ask(b"\x04")  # GET_VALUES, which no Express answers: how long it waits in vain
        session.time += 2_000_000_000
    polls(session, 5, bms(168.0, 40), pause=2.0)
    found = diagnosed(tmp_path, session.ask(FW_VERSION).answer(version()))
    assert found.verdict.key == Cause.RECEIVE_PATH
    assert found.verdict.confidence is not Confidence.CERTAIN
    assert "packwire doctor --my-client 65101" in found.verdict.remedy
    assert any("read as 15 bits" in line for line in found.verdict.evidence)


@needs_cases
def test_switching_notifications_on_is_no_broken_frame():
    found = diagnose_file(CASES / "modbus-write-value-lost.btsnoop")
    assert found.verdict.key == "ok"


def test_a_client_that_is_answered_and_goes_on(tmp_path):
    found = diagnosed(tmp_path, polls(VescSession().open(), 20, bms(), pause=0.1))
    assert (found.verdict.key, found.verdict.confidence) == ("ok", Confidence.LIKELY)
    assert "20 of 20 requests have their reply, whole (VESC)" in found.verdict.words


@pytest.mark.parametrize(("answered", "silent", "key"), [(10, 6, "silent-device"), (10, 1, "ok")])
def test_a_pack_that_falls_silent_is_no_pack_that_leaves_one_out(tmp_path, answered, silent, key):
    session = polls(VescSession().open(), answered, bms(), pause=0.5)
    polls(session, silent, b"", pause=1.0)
    if key == "ok":
        polls(session, answered, bms(), pause=0.5)
    assert diagnosed(tmp_path, session).verdict.key == key


def test_a_pack_that_never_says_a_word(tmp_path):
    found = diagnosed(tmp_path, polls(VescSession().open(), 6, b"", pause=2.0))
    assert found.verdict.key == "silent-device"
    assert found.verdict.confidence is Confidence.LIKELY  # another session does not show that it would answer


def test_values_without_cells_are_no_pack(tmp_path):
    found = diagnosed(tmp_path, polls(VescSession().open(), 5, NO_BMS, pause=0.5))
    assert found.verdict.key == "no-bms"


@needs_captures
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("own-client-timeouts.pcap", "receive-path"),
        ("displaced-client.pcap", "displaced"),
        ("no-bms.pcap", "no-bms"),
        ("vesc-tool-hub-bms.pcap", "ok"),
        ("vesc-tool-direct-motor-sll2.pcap", "ok"),
    ],
)
def test_recordings_of_a_vesc(name, key):
    verdict = diagnose_file(CAPTURES / "vesc" / name).verdict
    assert verdict.key == key
    assert exit_code_of(verdict.reason) == (ExitCode.OK if key == "ok" else ExitCode.DISTURBED)


@needs_captures
@pytest.mark.parametrize("path", sorted((CAPTURES / "ble").glob("*.btsnoop")), ids=lambda path: path.stem)
def test_an_app_that_shows_its_pack_is_accused_of_nothing(path):
    found = diagnose_file(path)
    assert found.verdict.key == "ok"
    assert found.others == ()


@needs_cases
@pytest.mark.parametrize("name", ["length-bug-found.pcapng", "length-bug-vesctool-order.pcapng"])
def test_the_length_bug_is_possible_by_its_own_recording_alone(name):
    verdict = diagnose_file(CASES / name).verdict
    assert (verdict.key, verdict.confidence) == (Cause.RECEIVE_PATH, Confidence.POSSIBLE)
    assert exit_code_of(verdict.reason) == ExitCode.NO_DATA


def test_a_device_that_leaves_its_hub_takes_nobody_s_place():
    """The hub closes both of its clients then, though one of them had only just logged in."""
    for newer_stays in (True, False):
        older, newer = (VescSession(ports=(50000 + number, 65101)) for number in range(2))
        older.open().send(0, LOGIN)
        polls(older, 5, bms(), pause=0.1)
        newer.time = older.time
        newer.open().send(0, LOGIN)
        older.time = newer.time + 300_000_000
        older.close(1)
        if newer_stays:
            polls(newer, 5, bms(), pause=0.3)
        else:
            newer.time = older.time + 1_000_000
            newer.close(1)
        packets = sorted((*older.packets, *newer.packets), key=lambda each: each.time)
        one, two = read_vesc(connections(packets)).connections
        assert (displaced(one, (one, two)) is not None) == newer_stays


def test_nothing_is_certain_of_a_damaged_file(tmp_path):
    session = polls(VescSession().open(), 5, NO_BMS, pause=0.5)
    whole, cut = tmp_path / "whole.pcap", tmp_path / "cut.pcap"
    whole.write_bytes(session.pcap())
    cut.write_bytes(session.pcap()[:-10])
    assert diagnose_file(whole).verdict.confidence is Confidence.CERTAIN
    verdict = diagnose_file(cut).verdict
    assert (verdict.key, verdict.confidence) == ("no-bms", Confidence.LIKELY)


def test_a_pack_that_says_who_it_is_and_never_its_values_is_not_well(tmp_path):
    session = VescSession().open()
    for _ in range(5):
        session.ask(FW_VERSION).answer(version()).wait(0.5)
        session.ask(BMS).wait(1.0)
    found = diagnosed(tmp_path, session.ask(FW_VERSION).answer(version()))
    assert (found.verdict.key, found.verdict.confidence) == ("silent-device", Confidence.LIKELY)
    assert any("5 requests (BMS_GET_VALUES (96)) got no reply" in line for line in found.verdict.evidence)


OTHERS = {
    "HTTP": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
    "HTTP, silent": (b"GET / HTTP/1.1\r\n\r\n", b""),
    "MQTT": (bytes.fromhex("100c00044d5154540402003c0000"), bytes.fromhex("20020000")),
    "TLS": (bytes.fromhex("16030100c8010000c40303") + bytes(190), bytes.fromhex("160303007a02") + bytes(110)),
    "Modbus TCP": (bytes.fromhex("000100000006010300000001"), bytes.fromhex("00010000000501030200ff")),
    "a pack nobody knows": (bytes.fromhex("5a5a010203"), bytes.fromhex("5a5a01020304050607")),
    "another that begins with 02": (bytes.fromhex("020301a0b1c203"), bytes.fromhex("02020611223344")),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_vesc_at_all_is_no_fault_of_a_client(tmp_path, name):
    session = Session().open()
    for _ in range(3):
        session.send(0, OTHERS[name][0]).wait(0.1)
        if OTHERS[name][1]:
            session.send(1, OTHERS[name][1]).wait(1.0)
    found = diagnosed(tmp_path, session)
    assert found.verdict.key in {"not-recorded", "inconclusive"}
    assert found.verdict.confidence is not Confidence.CERTAIN


def jbd(register: int, data: bytes | None = None, *, status: int = 0, wrong: bool = False) -> bytes:
    """Return JBD's request for a register, or its answer with these data."""
    head = b"\xdd\xa5" if data is None else bytes((0xDD, register))
    body = bytes((register, 0)) if data is None else bytes((status, len(data))) + data
    return head + body + (-sum(body) & 0xFFFF ^ (0x10 * wrong)).to_bytes(2) + b"\x77"


def asked_jbd(*answers: tuple[int, bytes]) -> Session:
    session = Session(ports=(50000, 8899)).open()
    for _ in range(10):
        for register, answer in answers:
            session.send(0, jbd(register)).wait(0.05)
            if answer:
                session.send(1, answer)
            session.wait(0.5)
    return session


BASIC = bytes.fromhex("053a000050ef6d600009278300000000000022640304020b710b65")
CELLS = bytes.fromhex("0cf50cf60cf40cf5")


@pytest.mark.parametrize(
    ("answers", "keys"),
    [
        (((3, jbd(3, BASIC)), (4, jbd(4, CELLS))), {"ok"}),
        # A register is no address.
        (((3, jbd(3, BASIC)), (4, b"")), {"ok"}),
        (((3, jbd(3, BASIC, wrong=True)),), {"damaged-replies"}),
        (((3, jbd(3, b"", status=0x80)),), {"inconclusive"}),
    ],
    ids=["healthy", "one register", "wrong checksums", "refused"],
)
def test_answers_of_a_pack(tmp_path, answers, keys):
    assert diagnosed(tmp_path, asked_jbd(*answers)).verdict.key in keys


@pytest.mark.parametrize(
    "lines",
    [
        [
            '[BMS:/service000c/char0010]# write "0xdd 0xa5 0x04 0x00 0xff 0xfc 0x77"',
            "[CHG] Attribute /org/bluez/hci0/dev_02_00_00_00_00_01/service000c/char000d Value:",
            "  dd 04 00 08 0c e4 0c e5 0c e6 0c e7 fc 32 77     .............2w ",
        ],
        [
            "Time [s], Analyzer Name, Decoded Protocol Result",
            *(f"{0.001 * n:.3f},TX,0x{byte:02X}" for n, byte in enumerate(b"\xdd\xa5\x04\0\xff\xfc\x77")),
            *(
                f"{0.2 + 0.001 * n:.3f},RX,0x{byte:02X}"
                for n, byte in enumerate(bytes.fromhex("dd0400080ce40ce50ce60ce7fc3277"))
            ),
        ],
    ],
    ids=["bluetoothctl", "Saleae"],
)
def test_a_text_that_is_a_recording_is_read_whole(tmp_path, lines):
    path = tmp_path / "session.txt"
    path.write_text("\n".join(lines) + "\n")
    found = diagnose_file(path)
    assert (found.wire.sent, found.wire.received, found.wire.right) == (1, 1, 1)


def test_of_a_text_without_directions_no_other_master_is_claimed(tmp_path):
    path = tmp_path / "session.txt"
    frames = ("dda50300fffd77", "dd0400080ce40ce50ce60ce7fc3277", "dda50400fffc77")
    path.write_text("".join(f"{bytes.fromhex(frame).hex(' ')}\n" for frame in frames * 2))
    found = diagnose_file(path)
    assert not found.wire.foreign
    assert found.verdict.key == "inconclusive"
