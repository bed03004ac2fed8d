"""What the encoders' scripts share: documents in, one line of JSON out."""

import hashlib
import json
import sys
import time
from array import array
from pathlib import Path


def documents():
    """Returns the documents of the file that is the script's second argument, as bytes."""
    data, at, found = Path(sys.argv[2]).read_bytes(), 0, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        found.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    return found


def measure(encode, docs, flat):
    """Times ``encode(docs)`` once and prints its speed and a digest of ``flat(its result)`` as u32."""
    total = sum(len(doc) if isinstance(doc, bytes) else len(doc.encode()) for doc in docs)
    started = time.perf_counter()
    result = encode(docs)
    seconds = time.perf_counter() - started
    ids = array("I", flat(result))
    print(
        json.dumps(
            {
                "megabytes_per_second": total / 1e6 / seconds,
                "seconds": seconds,
                "tokens": len(ids),
                "digest": hashlib.sha256(ids.tobytes()).hexdigest(),
            }
        )
    )


def joined(results):
    """Yields the ids of all documents end to end."""
    for result in results:
        yield from result
