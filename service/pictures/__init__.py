"""Picture files of strangers: take them apart, drop what is not the picture, decode them."""
