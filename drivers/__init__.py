"""The hardware border: what a device can do, what crosses the border, and what can go wrong there."""
