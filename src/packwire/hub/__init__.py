"""One VESC for many clients: a wire with a recorder (tap), one shared connection (share), a hub of one's own."""
