"""The evaluation platform: a small management plane of its own that runs real EVM chains as local processes.

It is a program of its own (`python -m platforms.sandbox`), imports nothing of the console, and is registered like
every other platform, by its API file and mapping template. `docs/sandbox.md` says plainly what it is not.
"""
