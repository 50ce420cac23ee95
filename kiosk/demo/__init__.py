"""The whole house at once, on one machine, without hardware, display or network.

Starts the sandbox city, the fleet server, the device simulators and the kiosk as separate processes and walks invented
citizens through a matter. Imports nothing of the other rooms: it uses their programs, as a person would.
"""

from kiosk.demo.run import run_demo

__all__ = ["run_demo"]
