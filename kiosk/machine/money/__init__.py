"""Money at this terminal: orders at the centre, the card terminal, and what becomes of each order in the end."""
