"""What engines share that let a model redraw the picture."""
