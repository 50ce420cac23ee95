"""This one machine, whether or not a citizen stands before it: record, library, devices, the way to the centre."""
