"""REST views of the ground floor, one module per resource; what the floors above build on is named here."""

from console.api.views.starting import StartsWork, accepted, keyed_request

__all__ = ["StartsWork", "accepted", "keyed_request"]
