"""The registry of protocols."""

import pytest

from packwire.errors import BadAddressError
from packwire.models.protocol import ModelProtocol
from packwire.protocols import protocol, protocol_names
from packwire.vesc.protocol import VescProtocol


def test_a_protocol_by_name():
    assert isinstance(protocol("vesc"), VescProtocol)
    assert isinstance(protocol("jbd"), ModelProtocol)
    assert {"vesc", "jbd"} <= set(protocol_names())


@pytest.mark.parametrize(("name", "words"), [("boat", "there is .*jbd.*vesc"), ("vsec", "did you mean vesc")])
def test_a_name_that_nobody_has(name, words):
    with pytest.raises(BadAddressError, match=words):
        protocol(name)
