"""Where a device's process comes from: forked by the nursery, or standing by; and what the system says of it."""
