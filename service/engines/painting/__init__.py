"""What engines share that let an image model redraw the picture: sizes, transparency, words."""
