"""Station 1, without a person: the places that files come from, and when a file there is whole.

A place lists what it holds, copies it out and removes it. Whether it is a folder, a storage or a server makes no difference.
"""
