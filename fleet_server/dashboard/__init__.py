"""The look of the pages: layout, navigation, words, static files. Features bring their own pages into it."""
