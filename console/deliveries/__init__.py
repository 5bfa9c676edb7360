"""Mail and webhooks, from the row that promises a message to the answer of who got it."""

from console.deliveries.post import post

__all__ = ["post"]
