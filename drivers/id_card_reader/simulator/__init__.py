"""The peers of the readers' drivers. A shipped terminal contains none of this folder."""

from drivers.id_card_reader.simulator.sdk import SdkSimulator
from drivers.id_card_reader.simulator.sdt import SdtSimulator

__all__ = ["SdkSimulator", "SdtSimulator"]
