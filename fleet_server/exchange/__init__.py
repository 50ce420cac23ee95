"""What both sides of the way to the authorities have in common: signatures, XML, identifiers of certificates."""
