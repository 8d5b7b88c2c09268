"""A way to a server that a test watches: at the sight of a request it is cut, falls silent, answers itself, or acts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sqlalchemy import make_url

from services.processes import free_port

_MOST = 1 << 16  # bytes that are passed on at a time
_HOST = "127.0.0.1"


class Link:
    """One connection that goes through."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._ends = client, server
        self._left: int | None = None  # bytes of answers until it is cut
        self.silent = False

    def cut(self, after: int = 0) -> None:
        """End it, as a network does that breaks, after so many more bytes of answers."""
        self._left = after
        if not after:
            self.end()

    def hush(self) -> None:
        """Keep it open, and pass nothing on any more."""
        self.silent = True

    def end(self) -> None:
        """End it."""
        for end in self._ends:
            with suppress(OSError):  # it has ended by itself
                end.shutdown(socket.SHUT_RDWR)

    def answers(self, data: bytes) -> None:
        """Pass on what the server says, as far as it is to come through."""
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if not self.silent:
            self._ends[0].sendall(data)
        if self._left == 0:
            self.end()


Act = Callable[[Link], object]
"""What happens at a sight, before it is passed on; where it gives bytes, they are answered in the server's place."""


@dataclass
class Watch:
    """What is waited for."""

    sight: bytes
    act: Act
    skip: int  # sights at which nothing happens
    times: int | None  # None: always
    done: int = 0

    def met(self, said: bytes) -> bool:
        """Whether it is time to act."""
        if self.sight not in said or self.done == self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.done += 1
        return True


@dataclass
class Proxy:
    """Listens on a port of its own and passes everything on to another of this machine; a context manager."""

    to: int
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self._watches: list[Watch] = []
        self._links: dict[Link, None] = {}
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self._lock = threading.Lock()

    def on(self, sight: bytes, act: Act, *, skip: int = 0, times: int | None = 1) -> Watch:
        """Do something when a client says this, so many times at most."""
        watch = Watch(sight, act, skip, times)
        self._watches.append(watch)
        return watch

    def url(self, url: str) -> str:
        """The address of what lies behind it, by this way."""
        return make_url(url).set(host=_HOST, port=self.port).render_as_string(hide_password=False)

    @property
    def endpoint(self) -> str:
        """Its address for HTTP."""
        return f"http://{_HOST}:{self.port}"

    def open(self) -> None:
        """Let connections in."""
        self._listener = socket.create_server((_HOST, self.port))
        self._run(self._accept, self._listener)

    def close(self) -> None:
        """Cut every connection, and let no more in."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            links = list(self._links)
        for link in links:
            link.end()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        for thread in self._threads:
            thread.join(10)

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # closed
                return
            self._run(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection((_HOST, self.to)) as server:
            link = Link(client, server)
            with self._lock:
                self._links[link] = None
            try:
                back = threading.Thread(target=self._back, args=(link, server), daemon=True)
                back.start()
                with suppress(OSError):
                    while said := client.recv(_MOST):
                        self._asks(link, said, client, server)
                link.end()
                back.join()
            finally:
                with self._lock:
                    del self._links[link]

    def _asks(self, link: Link, said: bytes, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            acts = [watch.act for watch in self._watches if watch.met(said)]
        answers = [answer for act in acts if isinstance(answer := act(link), bytes)]
        for answer in answers:
            client.sendall(answer)
        if not answers and not link.silent:
            server.sendall(said)

    @staticmethod
    def _back(link: Link, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(_MOST):
                link.answers(data)
        link.end()
