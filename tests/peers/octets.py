"""octets.py LENGTH SEED FILE: writes so many octets to standard output, and what the checksum example says of them to the file."""

import sys

from check import LongContent

length, seed, name = sys.argv[1:]
content = LongContent(int(length), int(seed))
for octets in content:
    sys.stdout.buffer.write(octets)
with open(name, "w", encoding="ascii") as file:
    file.write(content.wanted() + "\n")
