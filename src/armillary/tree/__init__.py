"""The data tree: which products there are, and finding them."""
