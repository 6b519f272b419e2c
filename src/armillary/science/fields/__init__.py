"""Fields and waves: what follows from series of vectors."""
