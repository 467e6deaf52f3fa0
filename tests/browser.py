"""A headless Chromium for tests and benchmarks, over the DevTools protocol on a pair of pipes: no driver, no port."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]


class Tab:
    """One page in a headless browser."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.events, self._count, self._rest, self._session = process, [], 0, b"", {}
        target = self.call("Target.createTarget", url="about:blank")
        self._session = {"sessionId": self.call("Target.attachToTarget", flatten=True, **target)["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters, **self._session}
        self.process.stdin.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._count:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self) -> dict:
        """The next message; answers and events come in one stream."""
        deadline = time.monotonic() + 60
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(deadline - time.monotonic(), 0))
            piece = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
            assert piece, "the browser fell silent"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path) -> None:
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        self.evaluate("new Promise(done => setTimeout(done, 300))")

    def evaluate(self, expression: str) -> object:
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    def look(self, width: int, dark: bool = False) -> None:
        """The width of the window, and light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def complaints(self, page: Path) -> list[str]:
        """Console errors, and requests for anything but the page and what it carries in itself."""
        self.open(page)
        found = []
        for event in self.events:
            method, content = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(f"error: {content['exceptionDetails']['text']}")
            elif method == "Runtime.consoleAPICalled" and content["type"] in {"error", "assert", "warning"}:
                found.append(f"error: {content['args']}")
            elif method == "Log.entryAdded" and content["entry"]["level"] in {"error", "warning"}:
                found.append(f"error: {content['entry']['text']}")
            elif method == "Network.requestWillBeSent":
                url = content["request"]["url"]
                if url != page.as_uri() and not url.startswith("data:"):
                    found.append(f"request: {url}")
        return found


@contextmanager
def chromium(folder: Path) -> Iterator[Tab]:
    """A headless browser; its pipes are the descriptors 3 and 4, which the shell makes of standard input and output."""
    arguments = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    command = ["sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1', *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            tab = Tab(process)
            yield tab
            tab._session = {}
            tab.call("Browser.close")
            process.wait(timeout=30)
        finally:
            process.kill()
