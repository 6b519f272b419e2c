"""What was fetched or made once is not fetched or made again."""

from armillary.cache.serve import Cache, open_cache

__all__ = ["Cache", "open_cache"]
