"""Machines that organizations bring: where native drivers build nodes. One engine so far, Docker's."""
