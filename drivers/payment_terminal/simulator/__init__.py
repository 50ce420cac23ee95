"""The peers of the payment drivers: the centre's order interface with an acquirer behind it, and a card terminal.

Not shipped on terminals.
"""

from drivers.payment_terminal.simulator.gateway import GatewaySimulator
from drivers.payment_terminal.simulator.zvt import ZvtSimulator

__all__ = ["GatewaySimulator", "ZvtSimulator"]
