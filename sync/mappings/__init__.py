"""Files whose columns are called otherwise: which file type they are, and what their columns become.

Rows are changed between the reader and the columns: what is cleaned, planned and reported is what the file type knows, what is
kept (tryback, archive) are the lines as they came.
"""
