"""Hand-over to the citizen's phone: slips, the phone's page, and what it sends until the terminal has taken it."""
