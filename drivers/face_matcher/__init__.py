"""Comparison of a living face with a card's picture: camera and engine in one process (spike-face)."""

from drivers.face_matcher.processor import refuse_without_avx

refuse_without_avx()
