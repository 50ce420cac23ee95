"""Remote helpers: citizens who wait for one, and what a helper sees and says. Never a citizen's value."""
