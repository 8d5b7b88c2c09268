"""What the pages of docs/ take from the code; cog calls it: ``make docs`` writes, ``make check`` compares."""
