"""Applications: programs of others that bring a capability, installed apart from the console and run behind walls.

`manifest` reads the warehouse, `environments` says where an application lives and how it is built, `jobs` starts work
that outlasts a step, `cell` and `walls` are the program that runs it, `protocol` is what is asked and answered.
`docs/applications.md` is for whoever writes one.
"""
