"""An exported plugin of aiobmsble: it makes of recorded bytes what aiobmsble makes, and passes its own test."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from packwire.device.aiobmsble.samples import values_of
from packwire.errors import BadOptionError
from packwire.export.aiobmsble import aiobmsble
from packwire.models.load import model
from tests.export.exportable import COMPARABLE, EXPORTABLE
from tests.models.aiobmsble_vectors import ROUNDED, exchanges, same
from tests.models.test_against_aiobmsble import DIFFERENT, FAMILIES, ONLY_ONE, OTHERS
from tests.shared_data import needs_vectors

pytest.importorskip("aiobmsble", reason="aiobmsble (extra ble) is not installed")

from bleak.backends.device import BLEDevice

BLUETOOTH = [name for name in EXPORTABLE if model(name).gatt]
#: What aiobmsble computes from the rest, and a model computes likewise.
COMPUTED = {"voltage"}


def plugin_of(name: str) -> ModuleType:
    made = ModuleType(name)
    exec(compile(aiobmsble(model(name)).text, f"{name}_bms.py", "exec"), made.__dict__)
    return made


def told(plugin: ModuleType, pieces):
    """Return the sample that a plugin makes of notifications."""
    bms = plugin.BMS(BLEDevice("11:22:33:44:55:66", "pack", {"path": ""}))
    for piece in pieces:
        bms._notification_handler(None, bytearray(piece))
    return plugin._sample(plugin._joined(bms._said))


@needs_vectors
@pytest.mark.parametrize("family", COMPARABLE)
def test_it_makes_of_recorded_bytes_what_aiobmsble_makes(family):
    plugins: dict[str, ModuleType] = {}
    for exchange in exchanges(family):
        if (family, exchange.number) in ONLY_ONE:
            continue
        name = OTHERS.get((family, exchange.number), FAMILIES[family][0])
        if model(name).packs:
            continue  # what its packs say is asked by packwire alone: the plugin says so
        plugin = plugins.setdefault(name, plugin_of(name))
        ours, _ = values_of(told(plugin, exchange.received))
        for key, value in exchange.known.items():
            if (family, key) in DIFFERENT or (
                key.startswith("cell_") and "cell_voltages" not in exchange.known
            ):
                continue
            if key not in ours and key in COMPUTED:
                continue
            assert same(ours[key], value, ROUNDED.get(key, 0.00051)), (name, exchange.number, key)


@pytest.mark.parametrize("name", BLUETOOTH)
def test_noise_and_pieces_of_frames_do_no_harm(name):
    plugin = plugin_of(name)
    protocol = model(name)
    starts = [framing.start for framing in protocol.framings]
    noise = [bytes(range(at, 256, 7)) for at in range(7)]
    told(plugin, [start + piece for start in starts for piece in noise] * 3)
    for start in starts:
        for byte in range(256):
            told(plugin, [start + bytes([byte]) * 40])


_STAND_IN = '''
"""What the tests of aiobmsble have in common, as far as an exported test uses it."""
import pytest
import aiobmsble.bms
from bleak.exc import BleakCharacteristicNotFoundError

aiobmsble.bms.__path__.append({plugins!r})


class Services:
    def get_characteristic(self, _char):
        return None


class MockBleakClient:
    def __init__(self, address_or_ble_device, disconnected_callback=None, services=None, **kwargs):
        self.is_connected, self._notify_callback, self.services = False, None, Services()

    async def connect(self, **kwargs):
        self.is_connected = True

    async def disconnect(self):
        self.is_connected = False

    async def start_notify(self, char_specifier, callback, **kwargs):
        self._notify_callback = callback

    async def write_gatt_char(self, char_specifier, data, response=None):
        assert self.is_connected

    async def read_gatt_char(self, char_specifier, **kwargs):
        raise BleakCharacteristicNotFoundError(char_specifier)


@pytest.fixture
def patch_bleak_client(monkeypatch):
    async def establish(client_class, device, name, **kwargs):
        client = client_class(device)
        await client.connect()
        return client

    def patch(client=MockBleakClient):
        monkeypatch.setattr("aiobmsble.basebms.BleakClient", client)
        monkeypatch.setattr("aiobmsble.basebms.establish_connection", establish)

    return patch


@pytest.fixture
def patch_bms_timeout(monkeypatch):
    return lambda: monkeypatch.setattr("aiobmsble.basebms.BaseBMS._RETRY_TIMEOUT", 0.001)


@pytest.fixture(params=[True, False])
def keep_alive_fixture(request):
    return request.param
'''
_RADIO = """
from bleak.backends.device import BLEDevice


def generate_ble_device():
    return BLEDevice("11:22:33:44:55:66", "pack", {"path": ""})
"""


def test_its_own_tests_pass(tmp_path):
    """As in aiobmsble's suite; where that is at hand, the files go there as they are."""
    tests, plugins = tmp_path / "tests", tmp_path / "plugins"
    tests.mkdir()
    plugins.mkdir()
    (tests / "__init__.py").write_text("")
    (tests / "conftest.py").write_text(_STAND_IN.replace("{plugins!r}", repr(str(plugins))))
    (tests / "bluetooth.py").write_text(_RADIO)
    for name in BLUETOOTH:
        made = aiobmsble(model(name))
        module = f"{name.replace('-', '_')}_bms"
        # Some have the names of aiobmsble's own.
        (plugins / f"exported_{module}.py").write_text(made.text)
        text = made.test.replace(f"aiobmsble.bms.{module}", f"aiobmsble.bms.exported_{module}")
        (tests / f"test_{module}.py").write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert "failed" not in run.stdout


@pytest.mark.parametrize("name", BLUETOOTH)
def test_methods_stand_in_the_order_of_aiobmsbles_own(name):
    """As aiobmsble's test of all plugins wants it."""
    (plugin,) = (
        each for each in ast.parse(aiobmsble(model(name)).text).body if isinstance(each, ast.ClassDef)
    )
    order = [
        "__init__", "matcher_dict_list", "uuid_services", "uuid_rx", "uuid_tx", "_fetch_device_info", "_async_update",
    ]  # fmt: skip
    own = [each.name for each in plugin.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [each for each in own if each in order] == [each for each in order if each in own]


def test_a_model_without_bluetooth_is_refused():
    with pytest.raises(BadOptionError, match="is not spoken over Bluetooth"):
        aiobmsble(model("vesc-can"))
