"""`python alone.py LIMIT COMMAND...`: runs a command in silence; prints its seconds, those of
processors, peak memory and status.

A process of its own, and a small one: Linux counts what a parent holds when it starts a command towards the
command's peak, so that a benchmark with data in memory would report its own.
"""

import json
import os
import signal
import sys
import threading
import time


def main() -> None:
    limit, command = float(sys.argv[1]), sys.argv[2:]
    silence = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=[silence])
    clock = threading.Timer(limit, os.kill, (child, signal.SIGKILL))
    clock.start()
    _, status, usage = os.wait4(child, 0)
    clock.cancel()
    seconds = time.perf_counter() - started
    scale = 1 if sys.platform == "darwin" else 1024
    busy = usage.ru_utime + usage.ru_stime
    print(json.dumps([seconds, busy, usage.ru_maxrss * scale, os.waitstatus_to_exitcode(status)]))


if __name__ == "__main__":
    main()
