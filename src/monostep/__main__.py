"""python -m monostep."""

from monostep.cli import main

main()
