"""What packs call themselves, by family: facts from their makers and from those who read them.

A service such as ff00 is shared by several families, so a name is often the only thing that tells them apart.
"""

from fnmatch import fnmatchcase

#: A name's pattern and the families that use it, as the plugins and components of the field call them.
_NAMES: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (pattern, frozenset(families.split()))
    for pattern, families in (
        ("BP[0-9][0-9]", "seplos_v2"),
        ("SP[0-6][0-9]?*00000000*", "seplos"),
        ("CSY*", "seplos"),
        ("JK[-_]*", "jikong jk jk_bms_ble"),
        ("JBD-*", "jbd jbd_bms_ble"),
        ("SP[01][0-9]S[0-9]*", "jbd jbd_bms_ble"),
        ("AP[12][0-9]S[0-9]*", "jbd jbd_bms_ble"),
        ("xiaoxiang*", "jbd jbd_bms_ble"),
        ("DL-*", "daly daly_bms_ble"),
        ("ANT[-@?]*", "ant ant_leg ant_bms_ble"),
        ("XDZN_*", "tdt"),
        ("R-12*", "redodo"),
        ("R-24*", "redodo"),
        ("L-12*", "redodo"),
        ("BT-TH-*", "renogy"),
        ("SmartBat-*", "ogt"),
        ("TP_*", "tianpwr tianpower_bms_ble"),
        ("DWF*", "jbd jbd_bms_ble"),
        ("SBL-*", "jbd jbd_bms_ble"),
        ("EK-[0-9]*", "neey heltec_balancer_ble"),
        ("GW-[0-9]*", "neey heltec_balancer_ble"),
        ("RNGRBP*", "renogy_pro"),
        ("ECO-WORTHY*", "ecoworthy"),
        ("DCHOUSE*", "ecoworthy"),
        ("SOK-*", "abc sok"),
        ("P-[12]*", "redodo"),
        ("PQ-[12]*", "redodo"),
        ("RO-[12]*", "redodo"),
        ("L-51*", "redodo"),
        ("DXB-*", "dpwrcore"),
        ("TBA-*", "dpwrcore"),
        ("PC-[0-9A-F][0-9A-F][0-9A-F][0-9A-F]", "pace"),
        ("libatt*", "ej"),
        ("SV12V*", "ej"),
        ("VPS-*", "myvolta"),
        ("Epsilon*", "superb superb_v2"),
        ("NWJ20*", "ective topband"),
        ("ZM20*", "ective topband"),
        ("F07*", "felicity"),
        ("F10*", "felicity"),
    )
)


def expected(name: str) -> frozenset[str]:
    """Return the families that use a name; empty: not known."""
    for pattern, families in _NAMES:
        if fnmatchcase(name.strip(), pattern):
            return families
    return frozenset()


def mismatch(names: tuple[str, ...], plugins: tuple[str, ...]) -> tuple[str, str] | None:
    """Return a name and the plugin that reads it, where names of that form are of another family."""
    for name in names:
        families = expected(name)
        if not families:
            continue
        for plugin in plugins:
            plain = plugin.removesuffix("_ble").removesuffix("_bms")
            if not any(
                plain == each or plain in each or each.startswith(plain + "_bms") for each in families
            ):
                return name, plugin
    return None
