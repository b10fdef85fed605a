"""One VESC for many clients: a wire with a recorder (tap), a shared connection, a hub of one's own."""
