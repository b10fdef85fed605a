"""What is asked of a VESC, from the first contact to the pack's values."""
