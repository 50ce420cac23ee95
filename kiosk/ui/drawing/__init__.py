"""What Python draws for QML."""
