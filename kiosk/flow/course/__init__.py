"""The way through a matter: its steps in order, and what became of the parts of a package."""
