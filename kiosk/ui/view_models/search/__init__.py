"""Find a matter by characters, pinyin, initials, in everyday words, with typing mistakes. Pure: no Qt, no clock."""

from kiosk.ui.view_models.search.index import Index
from kiosk.ui.view_models.search.spelling import Reading
from kiosk.ui.view_models.search.words import Vocabulary, read_vocabulary

__all__ = ["Index", "Reading", "Vocabulary", "read_vocabulary"]
