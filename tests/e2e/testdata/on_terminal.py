"""Runs a program on its own terminal, as a shell does.

The output of the program goes to stdout. Each line on stdin is an order: "key HEX" presses keys, "hangup" closes the
terminal, "signal NAME" signals the program alone, "size COLUMNS ROWS" changes the size. At the end "exit CODE" goes to
stderr, minus n for the signal n. Before it goes "mode line", or "mode raw" if the program left the terminal so.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


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
    isClosed = False
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
                elif order == "size":
                    columns, rows = map(int, value.split())
                    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                elif order == "hangup":
                    os.close(terminal)
                    sources.remove(terminal)
                    isClosed = True
    if not isClosed:
        local = termios.tcgetattr(terminal)[3]
        isLine = local & termios.ICANON and local & termios.ECHO and local & termios.ISIG
        sys.stderr.write("mode %s\n" % ("line" if isLine else "raw"))
    _, status = os.waitpid(pid, 0)
    sys.stderr.write("exit %d\n" % os.waitstatus_to_exitcode(status))


main()
