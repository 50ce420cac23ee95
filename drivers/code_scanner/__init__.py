"""Printed and shown codes."""
