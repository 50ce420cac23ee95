"""Handwritten characters by libzinnia with the tegaki model. No Qt.

Zinnia depends on the order of strokes, which many people write their own way. What was recognised as written comes
first; for up to four strokes the other orders follow, merged by score, then the rest of the first.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import itertools
from pathlib import Path

MODEL = Path("/usr/share/tegaki/models/zinnia/handwriting-zh_CN.model")
LIBRARY = "libzinnia.so.0"
SIZE = 1000
RESULTS = 10
SURELY_FIRST = 4
MERGED_STROKES = 4
POINTS_A_STROKE = 60

Stroke = list[tuple[float, float]]
"""Points from 0 to 1 within the writing field, y downwards."""


class HandwritingUnavailable(Exception):
    """The library or its model is not installed; the keyboard then offers pinyin only."""


class Handwriting:
    """One recogniser; not for several threads at once. A character takes some 3 ms, four strokes in all orders 60."""

    def __init__(self, model: Path = MODEL) -> None:
        try:
            zinnia = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise HandwritingUnavailable(f"{LIBRARY} is not installed") from error
        _declare(zinnia)
        self._zinnia = zinnia
        self._recognizer = zinnia.zinnia_recognizer_new()
        if not zinnia.zinnia_recognizer_open(self._recognizer, str(model).encode()):
            zinnia.zinnia_recognizer_destroy(self._recognizer)
            raise HandwritingUnavailable(f"{model} is not a handwriting model")

    def recognize(self, strokes: list[Stroke]) -> list[str]:
        """Likely characters, best first."""
        strokes = [_thinned(stroke) for stroke in strokes if stroke]
        if not strokes:
            return []
        as_written = [text for text, _ in self._classify(strokes)]
        found = dict.fromkeys(as_written[:SURELY_FIRST])
        if len(strokes) <= MERGED_STROKES:
            scores: dict[str, float] = {}
            for order in itertools.permutations(strokes):
                for text, score in self._classify(list(order)):
                    scores[text] = max(scores.get(text, score), score)
            found |= dict.fromkeys(sorted(scores, key=lambda text: -scores[text]))
        return list(found | dict.fromkeys(as_written))[: 2 * RESULTS]

    def _classify(self, strokes: list[Stroke]) -> list[tuple[str, float]]:
        zinnia = self._zinnia
        character = zinnia.zinnia_character_new()
        try:
            zinnia.zinnia_character_clear(character)
            zinnia.zinnia_character_set_width(character, SIZE)
            zinnia.zinnia_character_set_height(character, SIZE)
            for index, stroke in enumerate(strokes):
                for x, y in stroke:
                    zinnia.zinnia_character_add(character, index, int(x * SIZE), int(y * SIZE))
            result = zinnia.zinnia_recognizer_classify(self._recognizer, character, RESULTS)
        finally:
            zinnia.zinnia_character_destroy(character)
        if not result:
            return []
        try:
            return [
                (zinnia.zinnia_result_value(result, index).decode(), zinnia.zinnia_result_score(result, index))
                for index in range(zinnia.zinnia_result_size(result))
            ]
        finally:
            zinnia.zinnia_result_destroy(result)


def _thinned(stroke: Stroke) -> Stroke:
    step = -(-len(stroke) // POINTS_A_STROKE)
    return stroke[::step]


def _declare(zinnia: ctypes.CDLL) -> None:
    handle, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    signatures: dict[str, tuple[list[type], type | None]] = {
        "zinnia_recognizer_new": ([], handle),
        "zinnia_recognizer_open": ([handle, text], ctypes.c_int),
        "zinnia_recognizer_destroy": ([handle], None),
        "zinnia_recognizer_classify": ([handle, handle, size], handle),
        "zinnia_character_new": ([], handle),
        "zinnia_character_destroy": ([handle], None),
        "zinnia_character_clear": ([handle], None),
        "zinnia_character_set_width": ([handle, size], None),
        "zinnia_character_set_height": ([handle, size], None),
        "zinnia_character_add": ([handle, size, ctypes.c_int, ctypes.c_int], ctypes.c_int),
        "zinnia_result_size": ([handle], size),
        "zinnia_result_value": ([handle, size], text),
        "zinnia_result_score": ([handle, size], ctypes.c_float),
        "zinnia_result_destroy": ([handle], None),
    }
    for name, (arguments, answer) in signatures.items():
        function = getattr(zinnia, name)
        function.argtypes, function.restype = arguments, answer
