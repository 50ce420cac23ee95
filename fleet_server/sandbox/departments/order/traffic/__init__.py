"""交警 counters; the department itself is `traffic_police.py`."""
