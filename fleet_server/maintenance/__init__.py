"""Maintenance: what is broken now, where, since when, who must act. Heartbeats arrive here."""
