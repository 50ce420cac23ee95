"""Peers of the document scanners' drivers. Not shipped on terminals."""

from drivers.document_scanner.simulator.document_camera import HEIGHT, WIDTH, DocumentCameraSimulator, on_mat
from drivers.document_scanner.simulator.escl import EsclSimulator

__all__ = ["HEIGHT", "WIDTH", "DocumentCameraSimulator", "EsclSimulator", "on_mat"]
