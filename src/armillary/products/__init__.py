"""From a request to data: plan (pure) and make."""
