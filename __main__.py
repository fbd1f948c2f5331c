"""`x25 …` and `python -m x25 …`; says what to install where only the SDK is."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from .cli import app  # noqa: PLC0415 - the SDK alone has no command line
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "x25":
            raise
        sys.exit(
            f"x25: the command line needs the gateway ({error.name} is missing): pip install 'x25[gateway]'"
        )
    app()


if __name__ == "__main__":
    main()
