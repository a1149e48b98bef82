"""Runs a program on its own terminal, as a shell does.

The output of the program goes to stdout. Each line on stdin is an order: "key HEX" presses keys, "hangup" closes the
terminal, "signal NAME" signals the program alone. At the end "exit CODE" goes to stderr, minus n for the signal n.
"""

import os
import pty
import select
import signal
import sys


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        # A child of a shell has the default action of every signal, even if the parent of this program ignored some.
        for number in signal.valid_signals():
            try:
                signal.signal(number, signal.SIG_DFL)
            except (OSError, ValueError):
                pass
        os.execvp(sys.argv[1], sys.argv[1:])
    orders = b""
    sources = [0, terminal]
    # Reads until nobody has the terminal open, or it was closed.
    while terminal in sources:
        ready, _, _ = select.select(sources, [], [])
        if terminal in ready:
            try:
                data = os.read(terminal, 65536)
            except OSError:  # EIO: the last program that had it open has ended.
                data = b""
            if data:
                os.write(1, data)
            else:
                sources.remove(terminal)
        elif 0 in ready:
            data = os.read(0, 65536)
            if not data:
                sources.remove(0)
            orders += data
            *lines, orders = orders.split(b"\n")
            for line in lines:
                order, _, value = line.decode().partition(" ")
                if order == "key":
                    os.write(terminal, bytes.fromhex(value))
                elif order == "signal":
                    os.kill(pid, getattr(signal, value))
                elif order == "hangup":
                    os.close(terminal)
                    sources.remove(terminal)
    _, status = os.waitpid(pid, 0)
    sys.stderr.write("exit %d\n" % os.waitstatus_to_exitcode(status))


main()
