"""How the program ends, besides 0 for all done."""

FAILED = 1
USAGE = 2
SOME_FAILED = 3
INTERRUPTED = 130
TERMINATED = 143
