"""Matters: draft, submitted with the author's signature, reviewed with another person's, published, rolled out."""
