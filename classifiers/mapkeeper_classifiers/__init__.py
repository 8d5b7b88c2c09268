"""Rules that come with mapkeeper."""
