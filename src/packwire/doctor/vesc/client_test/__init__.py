"""A VESC, played for its owner's own client: its replies, the ways of wrong clients, and what these tell."""
