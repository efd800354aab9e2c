"""Refinement engines, all behind the port in `contract`."""
