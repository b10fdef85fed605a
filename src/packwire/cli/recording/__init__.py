"""What `packwire capture` is made of: the steps on each system, the programs that record, the states."""
