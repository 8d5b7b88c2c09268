"""Paper and files: listings, the record of processing, exports."""
