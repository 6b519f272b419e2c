"""The command ``armillary``."""


def main() -> None:
    """Run the command line."""
