"""Models on a GPU of one's own, as tiny ones on the CPU."""
