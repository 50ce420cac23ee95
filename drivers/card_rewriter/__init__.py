"""Permits whose chip is written and whose print is made anew."""
