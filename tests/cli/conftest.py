"""What the tests of the command line share."""

import pytest

from tests.apk.writer import write_app
from tests.cli.commands.test_capture import visits


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "session.pcap").write_bytes(visits(80.0))
    write_app(tmp_path / "app.apk")
    return tmp_path
