"""How ledgers are read: the observer (`observer.py`) claims chains that are due, makes targets of them (`targets.py`),
reads each (`reading.py`), in a thread or on an event loop (`following.py`), believes what is sound (`sound.py`), and
writes it down by `chains/services/ledger.py`.
"""
