"""`make chaos`: unions are made and unmade while processes are killed with -9 and the platform fails at random.

`plane` is the platform, a process of its own that keeps a log of what took effect; `weather` decides what goes wrong
there. `processes` are the console's own, started as `make run` starts them, and killed. `people` ask for unions,
joins, quits and deletions through the services. `truth` compares both sides when all has ended. `docs/resilience.md`
says what was found.
"""
