"""A model file: the protocol of a BMS as data, and what may stand where.

The classes here check a file and say what is wrong with it; `packwire.models.build` makes the protocol from
the plain values, which are kept, so that a model which was checked once needs neither YAML nor pydantic.
"""

from packwire.models.schema.file import VERSION, ModelFile

__all__ = ["VERSION", "ModelFile"]
