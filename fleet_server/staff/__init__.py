"""Staff: accounts, roles, signing keys and the audit log."""
