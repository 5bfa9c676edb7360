"""`python -m tests.platforms.presets.record`: run every preset's life and write its samples anew."""

from __future__ import annotations

import os
from pathlib import Path

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    django.setup()
    from tests.platforms.presets.lives import write_samples

    write_samples(Path("platforms/presets"))
