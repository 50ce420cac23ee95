"""Where a device's process comes from: started, in waiting, or standing by; and what the system says of it."""
