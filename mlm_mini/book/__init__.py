"""The course as a book: a static site of the worked chapters, made by Sphinx from their stored outputs.

`site.build_book` is the way in. Sphinx and its theme come with the extra `book` and load when a book is built.
"""
