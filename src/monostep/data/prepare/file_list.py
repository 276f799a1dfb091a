"""Lists of files as the reference implementations ship them: one image a line, paths in columns."""

from pathlib import Path

from monostep.errors import InputError


def lines(list_file: Path) -> list[str]:
    """Return the lines of a list, blank ones left out at its end.

    Raises:
        InputError: it is missing, no text, or empty.
    """
    try:
        found = list_file.read_text(encoding="utf-8").rstrip().splitlines()
    except OSError as error:
        raise InputError(f"{list_file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{list_file}: not a text file; expected one image a line") from error
    if not found:
        raise InputError(f"{list_file}: the list is empty; expected one image a line")
    return found
