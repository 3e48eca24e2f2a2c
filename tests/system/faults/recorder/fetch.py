"""What librrd reads from round-robin files, in a process of its own: librrd 1.7 can die of a damaged one.
argv: pairs of FILE FROM-TO or FILE FROM-TO-STEP-FUNCTION. Prints one JSON list: per file {time: value}, null where it cannot be read."""
import json
import sys

import rrdtool


def fetch(path, low, high, wanted="10", function="AVERAGE"):
    low, high, wanted = int(low), int(high), int(wanted)
    try:
        (start, _, step), _, rows = rrdtool.fetch(path, function, "-r", str(wanted), "-s", str(low - wanted), "-e", str(high))
    except (rrdtool.OperationalError, rrdtool.ProgrammingError):  # missing, damaged, or locked at this moment
        return None
    return {start + step * (i + 1): row[0] for i, row in enumerate(rows)} if step == wanted else None


if __name__ == "__main__":
    words = sys.argv[1:]
    print(json.dumps([fetch(p, *span.split("-")) for p, span in zip(words[::2], words[1::2])]))
