"""While a citizen is present: stage, session, steps, screens. Async; no Qt, no SQL, no HTTP."""
