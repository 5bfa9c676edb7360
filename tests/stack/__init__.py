"""The whole product, started as a person starts it, and used from outside: HTTP, signals, files."""
