"""Numbers: arrays in, arrays out, with the source of each formula."""
