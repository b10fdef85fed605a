"""A VESC hub of one's own: devices dial in and log in, clients log in and share them."""
