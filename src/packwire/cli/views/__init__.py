"""What the commands show: cards, tables, JSON and plots."""
