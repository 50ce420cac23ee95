"""Chinese by hand and by sound: what the on-screen keyboard asks. Pure: no Qt."""
