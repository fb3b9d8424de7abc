"""Many streams at once, counted.

Run as ``python -m bench.streams URL COUNT MODEL``. Prints ``ready`` when every stream has its first
event; then answers each line on standard input with the numbers of events and of reads so far,
and ends with the input.
"""

from __future__ import annotations

import select
import socket
import sys
from urllib.parse import urlsplit

from bench import traffic

MARK = b"data: "
AT_ONCE = 50


def render(url: str, model: str) -> bytes:
    """Return the request that opens a stream."""
    parts = urlsplit(url)
    body = traffic.request(model, stream=True).encode()
    return (
        f"POST {parts.path} HTTP/1.1\r\n"
        f"Host: {parts.netloc}\r\n"
        "Accept: application/json\r\n"
        f"Authorization: Bearer {traffic.KEY}\r\n"
        "Content-Type: application/json\r\n"
        "User-Agent: OpenAI/Python 3.54.0\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Streams:
    """Open streams and the events that came over them."""

    def __init__(self, url: str, model: str) -> None:
        parts = urlsplit(url)
        self.address = (str(parts.hostname), int(parts.port or 80))
        self.request = render(url, model)
        self.poll = select.epoll()
        self.poll.register(sys.stdin, select.EPOLLIN)
        self.sockets: dict[int, socket.socket] = {}
        self.silent: set[int] = set()
        self.events = 0
        self.reads = 0

    def open(self, count: int) -> None:
        """Open streams and wait for the first event of each."""
        for _ in range(count):
            stream = socket.create_connection(self.address, 10)
            stream.sendall(self.request)
            stream.setblocking(False)
            self.sockets[stream.fileno()] = stream
            self.silent.add(stream.fileno())
            self.poll.register(stream, select.EPOLLIN)
        while self.silent:
            self.turn()

    def turn(self) -> bool:
        """Take what has come; False once standard input is at its end."""
        for fd, _ in self.poll.poll():
            if fd not in self.sockets:
                if not sys.stdin.readline():
                    return False
                say(f"{self.events} {self.reads}")
                continue
            data = self.sockets[fd].recv(65536)
            if not data:
                sys.exit("a stream was cut")
            if count := data.count(MARK):
                self.events += count
                self.reads += 1
                self.silent.discard(fd)
            elif fd in self.silent and not data.startswith(b"HTTP/1.1 200"):
                sys.exit(f"no stream: {data[:300]!r}")
        return True


def say(line: str) -> None:
    """Tell the bench."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(url: str, count: int, model: str) -> None:
    """Open the streams a few at a time, then count until standard input ends."""
    streams = Streams(url, model)
    for opened in range(0, count, AT_ONCE):
        streams.open(min(AT_ONCE, count - opened))
    say("ready")
    while streams.turn():
        pass


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
