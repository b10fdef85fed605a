"""What a protocol is, and how requests and replies go together; no I/O."""
