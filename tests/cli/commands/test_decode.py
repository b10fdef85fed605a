"""`packwire decode`: what an owner sees of a recording, and what a script gets."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from packwire.cli.commands.decode import decode
from packwire.cli.exit_codes import ExitCode
from packwire.errors import BadOptionError
from packwire.insight.rounds import Fold, folds
from packwire.vesc.framing import encode_frame
from tests.capture.builder import ACK, RST, Session, pcap
from tests.capture.vesc_session import ASK_BMS, ASK_VALUES, ASK_VERSION, VescSession, bms, version, via
from tests.cli.records import checked
from tests.cli.running import packwire
from tests.shared_data import CAPTURES, ROOT, needs_captures

DATA = ROOT / "tests" / "data" / "vesc"
SECRETS = ("secret42", "vesc6wifi", "mywifi", "secretkey", "VESC WiFi", "7665736336776966")


@pytest.fixture
def shown(capsys):
    """Run the command in this process; return its exit code and what it printed."""

    def run(file: Path, **options: Any) -> tuple[int, str]:
        code = decode(file, **options)
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def recorded(tmp_path):
    """Write a session to a file."""

    def write(*sessions, more=b""):
        path = tmp_path / "session.pcap"
        packets = sorted(
            (packet for each in sessions for packet in each.packets), key=lambda packet: packet.time
        )
        path.write_bytes(pcap(packets) + more)
        return path

    return write


def lines_with(text: str, *words: str) -> list[str]:
    return [line for line in text.splitlines() if all(word in line for word in words)]


class TestOwnClient:
    """A client reports timeouts: it must be plain that the replies are on the wire."""

    @pytest.fixture
    def text(self, shown):
        code, out = shown(DATA / "own-client-timeouts.pcap")
        assert code == ExitCode.OK
        return out

    def test_each_reply_is_shown_with_its_cells_and_size(self, text):
        replies = lines_with(text, "<-", "BMS_GET_VALUES")
        assert len(replies) == 6
        for line in replies:
            assert " 130 " in line
            assert "83.92 V  20 cells 4.193..4.199 V" in line
            assert "SoC 86.6 %" in line

    def test_the_fact_is_stated(self, text):
        assert (
            "Every reply to BMS_GET_VALUES is on the wire, whole, CRC right: 2 of 2, 130 bytes, 20 cells."
            in text
        )
        assert (
            "Every reply to can 84 > BMS_GET_VALUES is on the wire, whole, CRC right: 1 of 1, 130 bytes"
            in text
        )
        assert "127.0.0.1:51392 acknowledged all of it: its TCP received every byte." in text

    def test_the_client_s_pauses_are_told_apart_from_the_device_s_silence(self, text):
        (line,) = lines_with(text, "After 3 answered requests")
        assert "BMS_GET_VALUES, can 84 > BMS_GET_VALUES" in line
        assert "sent nothing for 2.0 s, just as long as after those without a reply" in line

    def test_what_is_never_answered_says_so(self, text):
        (line, _) = lines_with(text, "->", " GET_VALUES ", "NO REPLY")
        assert "a VESC Express never answers GET_VALUES (CAN id 84 does)" in line
        assert line.split()[0] == "22", "packets are numbered as in Wireshark"

    def test_who_is_who(self, text):
        assert "client   127.0.0.1:51392" in text
        assert "login    VESCTOOL: at the hub, as a client of TESTPACK, password (hidden)" in text
        assert "it is    VESC Express T, firmware 7.00 (VESC Express)" in text
        assert "can 84   75_300_R2, firmware 7.01 test 1 (VESC controller)" in text


def test_every_message_is_shown_unless_brief(shown):
    _, full = shown(DATA / "vesc-tool-direct-motor-sll2.pcap")
    assert len(lines_with(full, "<-")) == len(lines_with(full, "->  ")) == 246
    _, brief = shown(DATA / "vesc-tool-direct-motor-sll2.pcap", brief=True)
    assert "... the same 39 times more: packets 261 to 376, until 15.9071 s; replies after 5." in brief
    assert len(brief.splitlines()) < 90
    assert brief.splitlines()[-5:] == full.splitlines()[-5:], "the account is the same"


def test_brief_does_not_list_the_hub_s_other_side_again(shown):
    _, brief = shown(DATA / "vesc-tool-hub-bms.pcap", brief=True)
    assert "the same as in [1], passed on by the hub" in brief
    _, full = shown(DATA / "vesc-tool-hub-bms.pcap")
    assert len(lines_with(full, "<-", "BMS_GET_VALUES")) == 222


def test_a_displaced_client(shown):
    _, text = shown(DATA / "displaced-client.pcap")
    (line,) = lines_with(text, "127.0.0.1:65101 closed it")
    assert "0.1 ms after 127.0.0.1:55010 had logged in with the same id" in line


def test_no_bms(shown):
    _, text = shown(DATA / "no-bms.pcap")
    assert "40 of 40, 60 bytes, but there is no BMS: all zero." in text
    assert "there is no CAN id 10: 84 answered the scan of the bus (PING_CAN)" in text


def test_a_login_that_the_hub_refuses(shown, recorded):
    _, text = shown(recorded(Session().open().send(0, b"VESCTOOL:TESTPACK:wrong\n").wait(0.3).close(1)))
    assert "the hub does not know the id TESTPACK, or the password is wrong" in text
    assert ":wrong" not in text


def test_gaps_junk_and_frames_that_never_end(shown, recorded):
    talk = VescSession().open().ask(ASK_BMS).answer(bms(), recorded=False).ask(ASK_BMS)
    talk.send(1, b"\0\0\0").answer(bms()).ask(ASK_BMS).send(1, encode_frame(bms())[:50])
    size = len(encode_frame(bms()))
    code, text = shown(recorded(talk.record(talk.segment(1, RST | ACK)), more=b"abc"))
    assert code == ExitCode.BAD_FILE, "the file's end is damaged"
    assert "DAMAGED: the file ends inside a packet's header" in text
    assert f"{size} BYTES MISSING in 1 gap" in text
    assert f"{size} bytes MISSING here: not in this file" in text
    assert "3 bytes outside of any frame" in text
    assert f"{size - 50} bytes of the last frame never came" in text
    assert "10.0.0.2:65102 reset it" in text
    assert f"NO REPLY: the reply may be among {size} bytes that were not recorded" in text


def test_late_and_unasked(shown, recorded):
    talk = (
        VescSession()
        .open()
        .ask(ASK_BMS)
        .wait(2)
        .ask(ASK_BMS)
        .answer(bms())
        .answer(bms())
        .answer(b"\x15\x1b[31mred\0")
    )
    _, text = shown(recorded(talk))
    assert "late, asked once more before it came" in text
    assert "unasked  text (hidden)" in text, "a device may print a password"
    _, text = shown(recorded(talk), keep_secrets=True)
    assert "unasked  '\\x1b[31mred'" in text
    assert "\x1b" not in text, "what a device sends cannot reach the terminal"
    assert "1 of 2 replies to BMS_GET_VALUES came after the client had asked again." in text


class TestSecrets:
    CONFIG = b"\x11\x22\x33\x44mywifi\0secretkey\0*"

    @pytest.fixture
    def file(self, recorded):
        """A hub's password, configurations of known and unknown layout, forwarded, and torn ones."""
        talk = VescSession().open().send(0, b"VESCTOOL:TESTPACK:secret42\n")
        for command in (93, 94, 95):
            payload = bytes((command, 0)) + self.CONFIG
            talk.ask(bytes((command, 0))).answer(payload)
            talk.ask(via(10, payload)).send(1, encode_frame(payload)[4:])
        return recorded(talk)

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"hex": True, "fields": True},
            {"json": True, "hex": True, "fields": True},
            {"csv": True},
            {"brief": True},
        ],
    )
    def test_they_are_hidden(self, shown, file, options):
        for path in (file, DATA / "no-bms.pcap", DATA / "vesc-tool-hub-bms.pcap"):
            _, text = shown(path, **options)
            for secret in (*SECRETS, *(secret.encode().hex(" ") for secret in SECRETS)):
                assert secret not in text

    def test_they_are_shown_when_asked_for(self, shown, file):
        _, text = shown(file, hex=True, keep_secrets=True)
        assert "password secret42" in text
        assert b"secretkey".hex(" ") in text
        _, text = shown(DATA / "no-bms.pcap", fields=True, keep_secrets=True)
        assert "vesc6wifi" in text

    def test_hidden_bytes_are_starred_a_star_among_them_too(self, shown, file):
        _, text = shown(file, hex=True)
        (line, *_) = lines_with(text, "5d 00 **")
        assert line.split() == ["5d", "00", *["**"] * len(self.CONFIG)]


def test_fields_lie_where_they_are(shown):
    _, text = shown(DATA / "no-bms.pcap", fields=True)
    assert "   3  15  hw_name" in text
    (line, *_) = lines_with(text, "  can_id ")
    assert line.split()[2:] == ["can_id", "255", "255"]


def test_hex(shown):
    _, text = shown(DATA / "no-bms.pcap", hex=True)
    assert lines_with(text, "22 0a 00")
    assert lines_with(text, "00 07 00 56 45 53 43 20 45")


class TestJson:
    @pytest.fixture
    def records(self, shown):
        _, text = shown(DATA / "own-client-timeouts.pcap", json=True, fields=True, hex=True)
        return checked(text)

    def test_each_line_says_what_it_is(self, records):
        assert [record["kind"] for record in records[:3]] == ["capture", "connection", "vesc_message"]
        assert {record["kind"] for record in records} == {"capture", "connection", "vesc_message", "command"}
        assert records[0]["packets"] == 62
        assert records[1]["hub"] == "127.0.0.1:65101"
        assert records[1]["logins"] == [{"packet": 4, "role": "VESCTOOL", "id": "TESTPACK"}]
        assert [node["can_id"] for node in records[1]["nodes"]] == [None, 84]

    def test_a_reply(self, records):
        reply = next(record for record in records if record.get("packets") == [35])
        assert reply["command"] == "BMS_GET_VALUES"
        assert reply["part"] == "reply"
        assert reply["answers"] == [30]
        assert reply["size"] == 130
        assert reply["values"]["cell_num"] == 20
        assert reply["latency_ms"] == pytest.approx(0.497)
        assert {"name": "cell_num", "offset": 25, "width": 1, "raw": 20, "value": 20} in reply["fields"]
        assert len(reply["hex"].split()) == 130

    def test_a_request_without_a_reply(self, records):
        request = next(record for record in records if record.get("packets") == [22])
        assert request["part"] == "unanswered"
        assert "never answers GET_VALUES" in request["why"]

    def test_the_account(self, records):
        account = {
            (tuple(record["can"]), record["command"]): record
            for record in records
            if record["kind"] == "command" and record["connection"] == 1
        }
        assert account[(), "BMS_GET_VALUES"]["answered"] == 2
        assert account[(84,), "BMS_GET_VALUES"]["reply_sizes"] == [130, 130]

    def test_numbers_that_are_none_are_null(self, shown, recorded):
        request = b"\x80\x00\x01"
        talk = VescSession().open().ask(request).answer(b"\x80\0\0\0\x01" + bytes.fromhex("7fc00000"))
        _, text = shown(recorded(talk), json=True)
        (reply,) = [record for record in checked(text) if record.get("part") == "reply"]
        assert reply["values"]["speed_avg"] is None


def test_csv_has_one_row_a_message(shown):
    _, text = shown(DATA / "own-client-timeouts.pcap", csv=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 32
    reply = next(row for row in rows if row["packets"] == "35")
    assert (reply["command"], reply["size"], reply["part"]) == ("BMS_GET_VALUES", "130", "reply")
    assert reply["text"].startswith("83.92 V")


def test_options_that_exclude_each_other(shown):
    for options in ({"json": True, "csv": True}, {"brief": True, "json": True}):
        with pytest.raises(BadOptionError):
            shown(DATA / "no-bms.pcap", **options)


def test_a_file_without_vesc_traffic(shown, recorded):
    session = Session(ports=(40000, 443)).open().send(0, b"\x16\x03\x01 hello")
    code, text = shown(recorded(session))
    assert code == ExitCode.NOT_A_VESC
    assert "no VESC traffic" in text
    assert "10.0.0.1:40000 -> 10.0.0.2:443: 4 packets, 9 bytes there, 0 back" in text


def jbd_talk():
    """A JBD behind a serial bridge, asked twice for its cells and once in vain."""
    ask = bytes.fromhex("dd a5 04 00 ff fc 77")
    reply = bytes.fromhex("dd 04 00 08 0c e4 0c e5 0c e6 0c e7 fc 32 77")
    session = Session(ports=(40000, 8899)).open()
    for _ in range(2):
        session.send(0, ask).wait(0.05).send(1, reply).wait(0.45)
    return session.send(0, ask).wait(0.05)


def test_the_conversation_of_a_model(shown, recorded):
    code, text = shown(recorded(jbd_talk()))
    assert code == ExitCode.OK
    assert lines_with(text, "speaks", "JBD")
    assert len(lines_with(text, "<-", "cell voltages", "4 cells 3.300 .. 3.303 V", "51.0 ms")) == 2
    assert len(lines_with(text, "->", "cell voltages", "NO REPLY: the recording ends")) == 1
    assert lines_with(text, "cell voltages", " 3 ", " 2 ", " 1 ")
    _, text = shown(recorded(jbd_talk()), json=True)
    records = checked(text)
    assert [each["protocol"] for each in records if each["kind"] == "connection"] == ["jbd"]
    assert [each["values"]["cell_voltages"] for each in records if each.get("part") == "reply"] == [
        [3.3, 3.301, 3.302, 3.303]
    ] * 2


def test_beside_a_vesc_a_model_is_left_out(shown, recorded):
    code, text = shown(recorded(VescSession().open().ask(ASK_VERSION).answer(version()), jbd_talk()))
    assert code == ExitCode.OK
    assert "1 TCP connection without VESC traffic left out" in text


def test_a_device_of_which_only_requests_were_recorded(shown, recorded):
    talk = VescSession().open().ask(ASK_VERSION).ask(via(84, ASK_VALUES)).ask(ASK_BMS)
    talk.packets = talk.packets[3:]
    _, text = shown(recorded(talk))
    assert len(lines_with(text, "NO REPLY")) == 3
    _, text = shown(recorded(VescSession().open().ask(ASK_VERSION).answer(version(0, "bad\x1bname"))))
    assert "\x1b" not in text


class TestAsAProcess:
    async def test_piped_lines_are_whole(self):
        result = await packwire("decode", str(DATA / "own-client-timeouts.pcap"), COLUMNS="80")
        assert result.code == 0
        assert max(len(line) for line in result.out.splitlines()) > 120
        assert "\x1b" not in result.out

    async def test_standard_input_and_gzip(self):
        packed = gzip.compress((DATA / "no-bms.pcap").read_bytes())
        result = await packwire("decode", "-", "--brief", stdin=packed)
        assert result.code == 0
        assert result.out.startswith("standard input: pcap in gzip")

    @pytest.mark.parametrize(
        ("name", "words"), [("missing.pcap", "there is no such file"), ("README.md", "text")]
    )
    async def test_errors_are_one_line(self, tmp_path, name, words):
        (tmp_path / "README.md").write_text("hello")
        result = await packwire("decode", str(tmp_path / name))
        assert result.code == ExitCode.BAD_FILE
        assert words in result.err
        assert len(result.err.splitlines()) == 1


class TestFolds:
    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ("", []),
            ("abc", [Fold(0, 1, 1), Fold(1, 1, 1), Fold(2, 1, 1)]),
            ("aaaa", [Fold(0, 1, 4)]),
            ("abab", [Fold(index, 1, 1) for index in range(4)]),
            ("xabababy", [Fold(0, 1, 1), Fold(1, 2, 3), Fold(7, 1, 1)]),
            ("abcabcabcab", [Fold(0, 3, 3), Fold(9, 1, 1), Fold(10, 1, 1)]),
        ],
    )
    def test_rounds_are_found(self, keys, expected):
        assert list(folds(keys)) == expected

    def test_a_long_list_takes_no_square_time(self):
        assert list(folds([1, 2] * 200_000)) == [Fold(0, 2, 200_000)]
        assert len(list(folds(list(range(100_000))))) == 100_000


@needs_captures
class TestLinksThatAreNoTcp:
    def test_bluetooth(self, shown):
        code, text = shown(CAPTURES / "ble" / "jbd-sp04s034.btsnoop", brief=True)
        assert code == ExitCode.OK
        assert "speaks   JBD (model jbd)" in text
        assert "1 of 69 requests cell voltages got no reply" in text
        assert "13.70 V" in text
        assert "TCP" not in text

    def test_a_log_of_one_direction(self, shown):
        code, text = shown(CAPTURES / "text" / "supervolt-jbd_HAdebug_BMS_BLE-HA-22.log")
        assert code == ExitCode.OK
        assert "cell voltages" in text

    def test_passwords_that_no_model_knows_are_masked(self, shown):
        _, text = shown(CAPTURES / "ble" / "daly-balancer.btsnoop", hex=True)
        assert "d2 03 06 2a 2a 2a 2a 2a 2a" in text
        assert "31 32 33 34 35 36" not in text
        _, text = shown(CAPTURES / "ble" / "daly-balancer.btsnoop", hex=True, keep_secrets=True)
        assert "31 32 33 34 35 36" in text

    def test_what_a_model_does_not_know_is_not_called_unanswered(self, shown):
        _, text = shown(CAPTURES / "ble" / "jbd-mosfets-onoff.btsnoop")
        assert "Every reply to basic info, dd 5a, leave factory mode is on the wire" in text

    def test_a_serial_line_as_a_log(self, shown, tmp_path):
        asked, said = "DD A5 04 00 FF FC 77", "DD 04 00 08 0D 5C 0D 5D 0D 5E 0D 5F FE 4E 77"
        lines = [
            f"[10:00:0{second}.000][D][uart_debug:114]: {way} {hex_.replace(' ', ':')}"
            for second in range(4)
            for way, hex_ in ((">>>", asked), ("<<<", said))
        ]
        path = tmp_path / "uart.log"
        path.write_text("\n".join(lines) + "\n")
        code, text = shown(path)
        assert code == ExitCode.OK
        assert text.count("4 cells 3.420 .. 3.423 V") == 4
