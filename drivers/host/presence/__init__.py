"""What is known of a device: its state and how old that is, who it is, and when something is plugged in or out."""
