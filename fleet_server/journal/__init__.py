"""The journal: taken in as it was signed, proved, searched, acknowledged."""
