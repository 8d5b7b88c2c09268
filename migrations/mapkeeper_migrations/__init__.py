"""The migrations of the inventory, run from inside the wheel."""
