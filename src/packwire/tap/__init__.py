"""A wire with a recorder: clients connect to it, and all passes through to the device unchanged."""
