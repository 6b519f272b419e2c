"""Jobs: a request or study being executed, its progress, log and result."""
