"""The one way to the authorities: connectors as data, personal data passed through and stored nowhere in clear."""
