"""The machine-readable zone of travel documents: found in a picture, read, and proved by its check digits."""
