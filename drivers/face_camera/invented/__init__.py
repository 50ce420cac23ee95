"""Invented people: faces computed from a name, so that no demonstration and no test needs a photograph.

A head is a surface of revolution with a relief; relief and paint follow some thirty measures. It is found and told
apart by the same engine that serves citizens, and its nose moves against its eyes when the head turns, as a real one's.
"""

from drivers.face_camera.invented.infrared import infrared, screen_in_infrared
from drivers.face_camera.invented.picture import frame, portrait_png
from drivers.face_camera.invented.shape import NAMES, Shape, shape_of

__all__ = ["NAMES", "Shape", "frame", "infrared", "portrait_png", "screen_in_infrared", "shape_of"]
