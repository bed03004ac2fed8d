"""`serve`: a page on this machine's loopback that shows how tokenizers cut what is typed.

The one place of the library that opens a socket, and only to 127.0.0.1. Who may ask: a request must carry
the secret of this run (in the page's address, then in a header that no other site can set without leave),
name this server as its host, which defeats DNS rebinding, and have no foreign origin. No answer allows
another origin, none is cached, and nothing is stored or logged.
"""

import json
import secrets
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tokforge.errors import ConfigError, InputError, TokforgeError
from tokforge.metrics.vocabulary import Vocabulary
from tokforge.report.live import encoded, explore_page, merge_tree
from tokforge.tokenizer import Tokenizer

__all__ = ["MAX_BODY_BYTES", "Server", "serve"]

MAX_BODY_BYTES = 4 << 20
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Server(ThreadingHTTPServer):
    """Answers for some tokenizers until it is closed; ``url`` is where the page is."""

    daemon_threads = True

    def __init__(self, tokenizers: Mapping[str, Tokenizer], port: int = 0) -> None:
        if not tokenizers:
            raise ConfigError("no tokenizer is named", "name at least one", "explore")
        if not 0 <= port <= 65535:
            raise ConfigError(f"port is {port}", "use 0 to 65535; 0 takes a free one", "port")
        self.vocabularies = [Vocabulary(name, tokenizer) for name, tokenizer in tokenizers.items()]
        for tokenizer in tokenizers.values():
            tokenizer.encode(b"x")  # makes the engine now, so that the first key typed does not wait for it
        self.secret = secrets.token_urlsafe(24)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"port {port} cannot be used: {reason}", "choose another --port", "port"
            ) from error

    @property
    def hosts(self) -> tuple[str, str]:
        """The names under which the page may ask."""
        return (f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}")

    @property
    def url(self) -> str:
        """The address of the page, with the secret."""
        return f"http://{self.hosts[0]}/?token={self.secret}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a browser that closes a connection early is no fault."""


def serve(server: Server) -> None:
    """Answers until Ctrl-C, which is how it is meant to end."""
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "tokforge", ""
    timeout = 30
    # Head and body go in one piece, at once: of two, the second waits for a late acknowledgement.
    wbufsize, disable_nagle_algorithm = -1, True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        given = parse_qs(parts.query).get("token", [""])[0]
        if parts.path != "/" or not self._is_ours(given):
            self._refuse(403 if parts.path == "/" else 404)
            return
        page = explore_page([one.name for one in self.server.vocabularies], self.server.secret)
        self._answer(200, page.encode(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        if not self._is_ours(self.headers.get("X-Tokforge-Token", "")):
            self._refuse(403)
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length[:12]) > MAX_BODY_BYTES:
            self._refuse(413)
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(length))
        asked = {"/encode": _encode, "/tree": _tree}.get(parts.path)
        if asked is None:
            self._refuse(404)
            return
        try:
            self._json(200, asked(self.server.vocabularies, body, query))
        except TokforgeError as error:
            self._json(400, {"error": error.as_dict()})

    def _is_ours(self, given: str) -> bool:
        origin = self.headers.get("Origin")
        own_origin = origin is None or origin in [f"http://{host}" for host in self.server.hosts]
        own_host = self.headers.get("Host") in self.server.hosts
        return own_host and own_origin and secrets.compare_digest(given.encode(), self.server.secret.encode())

    def _json(self, status: int, value: Any) -> None:
        self._answer(status, json.dumps(value, separators=(",", ":")).encode(), "application/json")

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._answer(status, b"refused\n", "text/plain")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Writes nothing: what is typed is nobody's business."""


def _encode(vocabularies: list[Vocabulary], body: bytes, query: Mapping[str, str]) -> Any:
    return encoded(_chosen(vocabularies, query).tokenizer, body)


def _tree(vocabularies: list[Vocabulary], body: bytes, query: Mapping[str, str]) -> Any:
    token_id = query.get("id", "")
    if not token_id.isdecimal():
        raise ConfigError("the id is no number", "send id=NUMBER", "id")
    return merge_tree(_chosen(vocabularies, query), int(token_id[:12]))


def _chosen(vocabularies: list[Vocabulary], query: Mapping[str, str]) -> Vocabulary:
    number = query.get("tokenizer", "")
    if not number.isdecimal() or int(number[:6]) >= len(vocabularies):
        raise ConfigError(
            "there is no such tokenizer", f"send tokenizer=0 to {len(vocabularies) - 1}", "tokenizer"
        )
    return vocabularies[int(number[:6])]
