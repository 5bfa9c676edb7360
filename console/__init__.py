"""The ground floor: settings, people, flows, audit, secrets, errors, and the shell of the pages."""

from console.celery import app as celery_app

__all__ = ["celery_app"]
