"""Sources: the places that files come from when no person hands them in, and when a file there is whole.

A place lists what it holds, copies it out and removes it. Whether it is a folder, a storage or a server makes no difference.
"""
