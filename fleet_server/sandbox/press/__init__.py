"""How papers are made: pages set by typst, seals pressed by pyHanko."""
