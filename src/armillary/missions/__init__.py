"""Our own missions; they enter through the same door as a stranger's."""
