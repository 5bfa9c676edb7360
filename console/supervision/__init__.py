"""The parts of the supervisor (`console/supervisor.py`): what it starts, keeps running, asks and claims."""
