"""A clerk of the shop vouches for a citizen, and a second person agrees: two-person control over a way to sign in."""
