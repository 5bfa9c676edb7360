"""How long and how many."""

MAX_ORGS = 200
COMMENT_LENGTH = 2000  # characters
