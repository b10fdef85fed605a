"""Framings of BMS families that have no model yet: a row each, and what answers what.

A family that gets a model file brings its framings there, and its row here goes.
"""

from packwire.models.modbus import modbus, modbus_answers
from packwire.wire.family import Family, Same

#: What is more certain comes first: where two fit equally well, the first is taken.
FAMILIES = (Family("Modbus RTU", (modbus("Modbus RTU"),), modbus_answers((Same(0, 0),), (), ())),)
