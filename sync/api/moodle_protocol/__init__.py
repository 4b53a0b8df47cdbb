"""The web services of the old plugin tool_sync, spoken as Moodle speaks them, so that their callers change only the address.

A request comes to `views`; `form_fields` reads its parameters, `kinds` checks them as the function in `registry` declares, a
module of `..._functions` does what the function says, and `answers` writes what comes of it. Writing functions hand small command
files to `sync.runs.services` (`calls`), so that plan, limits, audit and undo hold for them as for every file.
"""
