"""Open image models on a GPU of one's own, through diffusers."""
