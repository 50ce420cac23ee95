"""Money through the centre: orders and their saga, and the providers that collect."""
