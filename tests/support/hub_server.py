"""A Hub on this machine: serves folders as repositories, keeps count, and fails when told to."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGE = (".safetensors", ".bin")  # kept under their SHA-256, as the Hub does with git-lfs files


@dataclass(kw_only=True)
class Hub:
    """What is served and how; change it between requests."""

    repositories: dict[str, Path] = field(default_factory=dict)  # id -> folder
    gated: set[str] = field(default_factory=set)
    corrupt: set[str] = field(default_factory=set)  # file names that arrive with a flipped byte
    cuts: dict[str, int] = field(default_factory=dict)  # file name -> breaks before it is whole
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def commit(self, id: str) -> str:
        """The one commit of a repository: 40 digits that follow from its files."""
        digest = hashlib.sha1(id.encode())
        for name, path in files(self.repositories[id]).items():
            digest.update(f"{name} {sha256(path)}".encode())
        return digest.hexdigest()


def files(folder: Path) -> dict[str, Path]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in paths}


def sha256(path: Path) -> str:
    facts = path.stat()
    return _sha256(path, facts.st_size, facts.st_mtime_ns)


@cache
def _sha256(path: Path, _size: int, _changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def running() -> Iterator[Hub]:
    """A hub at an address of its own until the block ends."""
    hub = Hub()

    class Handler(_Handler):
        served = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each body waits for its headers to be acknowledged

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.served.requests.append(f"{self.command} {path}")
        words = path.strip("/").split("/")
        api = words[:2] == ["api", "models"]
        id = "/".join(words[2:4] if api else words[:2])
        rest = words[4:] if api else words[2:]
        if id in self.served.gated:
            return self._refuse(403, "GatedRepo")
        if id not in self.served.repositories:
            return self._refuse(401 if api else 404, "RepoNotFound")
        revision = rest[1] if len(rest) > 1 else "main"
        if revision not in ("main", self.served.commit(id)):
            return self._refuse(404, "RevisionNotFound")
        if api:
            return self._send(json.dumps(self._info(id)).encode(), {}, body=body)
        return self._file(id, "/".join(rest[2:]), body=body)

    def _info(self, id: str) -> dict:
        siblings = []
        for name, path in files(self.served.repositories[id]).items():
            size = path.stat().st_size
            large = {"sha256": sha256(path), "size": size, "pointerSize": 134}
            siblings.append({"rfilename": name, "size": size, "blobId": _git_id(path)})
            siblings[-1] |= {"lfs": large} if path.suffix in LARGE else {}
        return {"_id": "0", "id": id, "sha": self.served.commit(id), "siblings": siblings}

    def _file(self, id: str, name: str, *, body: bool) -> None:
        path = files(self.served.repositories[id]).get(name)
        if path is None:
            return self._refuse(404, "EntryNotFound", {"X-Repo-Commit": self.served.commit(id)})
        data = path.read_bytes()
        if name in self.served.corrupt:
            data = data[:-1] + bytes([data[-1] ^ 1])
        etag = sha256(path) if path.suffix in LARGE else _git_id(path)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": self.served.commit(id)}
        headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(data))}
        return self._send(data, headers, body=body, name=name)

    def _send(self, data: bytes, headers: dict, *, body: bool, name: str = "") -> None:
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if not body:
            return
        if self.served.cuts.get(name, 0) > 0:
            self.served.cuts[name] -= 1
            self.wfile.write(data[start : start + (len(data) - start) // 2])
            self.close_connection = True
            return
        self.wfile.write(data[start:])

    def _refuse(self, status: int, code: str, headers: dict | None = None) -> None:
        self.send_response(status)
        for key, value in {"X-Error-Code": code, "Content-Length": "0", **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()


def _git_id(path: Path) -> str:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
