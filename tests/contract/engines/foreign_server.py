"""A server that is not ours: takes its port as an argument and its key by environment, and is busy when asked to be."""

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers ``/health``, ``/metrics`` and everything else after half a second."""

    busy = 0

    def do_GET(self) -> None:
        """Probe and metrics."""
        if self.path == "/metrics":
            self._say(f"foreign:requests_processing {Handler.busy}\n".encode())
        else:
            self._say(b"{}")

    def do_POST(self) -> None:
        """Say who asked, slowly."""
        self.rfile.read(int(self.headers["content-length"]))
        Handler.busy += 1
        time.sleep(0.5)
        right = self.headers["authorization"] == f"Bearer {os.environ['FOREIGN_KEY']}"
        self._say(json.dumps({"right": right, "environment": sorted(os.environ)}).encode())
        Handler.busy -= 1

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--fail", action="store_true")
    given = parser.parse_args()
    if given.fail:
        sys.exit("no weights, no server")
    ThreadingHTTPServer(("127.0.0.1", given.port), Handler).serve_forever()
