"""Faults of a program itself, whatever it reads: exceptions that no device causes, and wrong settings."""

from packwire.capture.events.saying import saying
from packwire.event import EventKind

SAYINGS = (
    saying("program-fault", EventKind.ERROR, "unsupported operand type", of_device=False),
    saying("program-fault", EventKind.ERROR, "object has no attribute", of_device=False),
    saying("program-fault", EventKind.ERROR, "object is not subscriptable", of_device=False),
    saying("program-fault", EventKind.ERROR, "object is not callable", of_device=False),
    saying("program-fault", EventKind.ERROR, "object is not iterable", of_device=False),
    saying("program-fault", EventKind.ERROR, "positional argument", of_device=False),
    saying("program-fault", EventKind.ERROR, "unexpected keyword argument", of_device=False),
    saying("program-fault", EventKind.ERROR, "NameError: ", of_device=False),
    saying("program-fault", EventKind.ERROR, "UnboundLocalError", of_device=False),
    saying("program-fault", EventKind.ERROR, "not supported between instances of", of_device=False),
    saying("program-fault", EventKind.ERROR, "is not defined", r"'\w{1,60}' is", start=64, of_device=False),
    saying(
        "program-fault",
        EventKind.ERROR,
        "xception occurred: ",
        r"of type <class '(?:Key|Type|Attribute|Name|UnboundLocal|ZeroDivision|Recursion|NotImplemented)Error'",
        of_device=False,
    ),
    saying("program-fault", EventKind.ERROR, "ZeroDivisionError", of_device=False),
    saying("program-fault", EventKind.ERROR, "ImportError: ", of_device=False),
    saying("program-fault", EventKind.ERROR, "ModuleNotFoundError: ", of_device=False),
    saying("program-fault", EventKind.ERROR, "can't concat ", of_device=False),
    saying("program-fault", EventKind.ERROR, "non-bool switches values", of_device=False),
    saying("program-fault", EventKind.ERROR, "java.lang.NullPointerException", of_device=False),
    saying("program-fault", EventKind.ERROR, "java.lang.ClassCastException", of_device=False),
    # Nothing where bytes were awaited: the program should say so, and who sent nothing may be to blame.
    saying("short-data", EventKind.ERROR, "of type 'NoneType' has no len()", of_device=False),
    saying("short-data", EventKind.ERROR, "BufferUnderflowException", of_device=False),
    saying("short-data", EventKind.ERROR, "IndexOutOfBoundsException", of_device=False),
    saying("short-data", EventKind.ERROR, "index out of range", of_device=False),
    saying("short-data", EventKind.ERROR, "requires a buffer of", of_device=False),
    saying("short-data", EventKind.ERROR, "bytes-like object is required", of_device=False),
    saying("bad-setting", EventKind.INFO, "Invalid config", of_device=False),
    saying("bad-setting", EventKind.INFO, "invalid config", of_device=False),
    saying("bad-setting", EventKind.INFO, "Invalid MAC address", of_device=False),
    saying("bad-setting", EventKind.INFO, "expected a dictionary", of_device=False),
    saying("bad-setting", EventKind.INFO, "Bleak requires BlueZ", of_device=False),
    saying("bad-setting", EventKind.INFO, "No supported CAN BMS type found", of_device=False),
    # The key of Victron's advertisements
    saying("bad-setting", EventKind.INFO, "Invalid key length"),
    saying("bad-setting", EventKind.INFO, "ncorrect Bindkey"),
    saying("bad-setting", EventKind.INFO, "AdvertisementKeyM", r"KeyM(?:issing|ismatch)Error"),
    saying("bad-setting", EventKind.INFO, "ncorrect advertisement key"),
    saying("bad-setting", EventKind.INFO, "is excluded by the config file", of_device=False),
)
