"""What was fetched or made once is not fetched or made again."""
