"""Bad ratings are followed up: each has a deadline, and somebody who answers for it (GB/T 39735; domain.md 6.1)."""
