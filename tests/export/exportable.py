"""The models whose values other programs can be given: lines of columns are read by packwire alone."""

from packwire.models.load import model
from packwire.models.store import library
from packwire.wire.columned import ColumnCodec
from tests.models.test_against_aiobmsble import FAMILIES

IN_COLUMNS = [
    name for name in library() if any(isinstance(each.codec, ColumnCodec) for each in model(name).replies)
]
EXPORTABLE = [name for name in library() if name not in IN_COLUMNS]
#: Plugins of aiobmsble.
COMPARABLE = [plugin for plugin, names in FAMILIES.items() if names[0] not in IN_COLUMNS]
