"""Names that several modules share, and what the options are until somebody sets them."""

import logging

DOMAIN = "packwire"
LOGGER = logging.getLogger(__package__)

CONF_LINK = "link"
LINK_HUB = "hub"
LINK_TCP = "tcp"
CONF_HUB_ID = "hub_id"
CONF_CAN_IDS = "can_ids"
"""The CAN ids found behind the VESC the last time: asked directly at the next start."""
CONF_BMS_EXPECTED = "bms_expected"
"""False where the owner added a VESC that hears no BMS, knowing it."""

CONF_INTERVAL = "interval"
CONF_STALE_AFTER = "stale_after"
CONF_REPAIR_AFTER = "repair_after"
CONF_CELLS = "cells"

DEFAULT_INTERVAL = 5
"""Seconds between two readings."""
DEFAULT_STALE_AFTER = 60
"""Seconds for which the last values of a battery that stopped reporting are still shown."""
DEFAULT_REPAIR_AFTER = 10
"""Minutes without an answer until that is an issue to repair."""
