"""Light of stars through filters: bands, energy distributions, and what follows from them."""
