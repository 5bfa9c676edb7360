"""The console's own settings, with the pauses of a working day made short enough to be waited for."""

from console.settings import *  # noqa: F403

FLOW_LEASE_SECONDS = 20  # above the longest call of a platform, as in production
CELERY_TASK_TIME_LIMIT = FLOW_LEASE_SECONDS - 4
FLOW_SWEEP_SECONDS = 0.3
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
