"""Resident identity card readers: one file per vendor protocol, and the peers that prove them."""
