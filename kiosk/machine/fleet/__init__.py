"""The way to the centre: who this machine is, how it signs, what it fetches and delivers."""
