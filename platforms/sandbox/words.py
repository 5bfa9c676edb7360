"""What the mapping tells users, for the catalogue of translations. Nothing imports it."""

REASONS: tuple[str, ...] = ()  # it can do everything
