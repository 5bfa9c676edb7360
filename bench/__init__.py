"""Benchmarks: what the product's own machinery costs beside doing the same thing bare, in one run on one machine.

Figures of different runs or machines do not compare; the ratio within a run does. `make bench` runs them all.
"""
