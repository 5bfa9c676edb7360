"""Ethereum and Quorum on organizations' own machines; see `driver.py`."""
