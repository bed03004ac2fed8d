"""A headless Chromium over its DevTools protocol: as little of it as the tests need."""

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_SECONDS = 180  # axe-core on a whole page of a program: 20 s where eight processes share two cores


def find_chromium():
    """Returns the path of the installed browser, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One browser process with an empty profile; `page` opens a tab."""

    def __init__(self, program, profile: Path):
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
            "--disable-dev-shm-usage",
        ]
        quiet = [
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--hide-scrollbars",
        ]
        self.process = subprocess.Popen(
            [program, *flags, *quiet, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.port = self._port(profile / "DevToolsActivePort")

    def _port(self, path):
        limit = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < limit:
            if path.exists() and (lines := path.read_text().split()):
                return int(lines[0])
            time.sleep(0.05)
        raise TimeoutError("the browser did not start")

    def page(self, width=1440, height=900, dark=False):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            target = json.load(answer)
        return Page(target["webSocketDebuggerUrl"], width, height, dark)

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)


class Page:
    """A tab; ``requests`` holds every address it asked for, ``problems`` its console errors and exceptions."""

    def __init__(self, address, width, height, dark):
        import websocket

        self.socket = websocket.create_connection(address, timeout=PATIENCE_SECONDS, suppress_origin=True)
        self.number, self.requests, self.problems, self.loaded = 0, [], [], False
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.scheme(dark)

    def scheme(self, dark):
        value = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def call(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        wanted = self.number
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == wanted:
                assert "error" not in message, message
                return message["result"]
            self._event(message)

    def _event(self, message):
        name, params = message.get("method"), message.get("params", {})
        if name == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif name == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"])
        elif name == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.problems.append(params["entry"])
        elif name == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(params)
        elif name == "Page.loadEventFired":
            self.loaded = True

    def open(self, address):
        self.loaded = False
        self.call("Page.navigate", url=address)
        limit = time.monotonic() + PATIENCE_SECONDS
        while not self.loaded:
            assert time.monotonic() < limit, "the page did not load"
            self.call("Runtime.evaluate", expression="0")
            time.sleep(0.01)

    def run(self, script):
        """Returns the value of a JavaScript expression, awaited; raises what it throws."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script):
        """Waits until a JavaScript expression holds."""
        limit = time.monotonic() + PATIENCE_SECONDS
        while not self.run(f"!!({script})"):
            assert time.monotonic() < limit, f"never true: {script}"
            time.sleep(0.02)

    def type(self, selector, text):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def key(self, name):
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                code=name,
                windowsVirtualKeyCode={"ArrowRight": 39, "Tab": 9}.get(name, 0),
            )

    def choose(self, selector, value):
        change = (
            f"s.value = {json.dumps(str(value))}; s.dispatchEvent(new Event('change', {{bubbles: true}}))"
        )
        self.run(f"(() => {{ const s = document.querySelector({json.dumps(selector)}); {change} }})()")

    def hover(self, selector):
        box = f"document.querySelector({json.dumps(selector)})"
        self.run(f"{box}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        x, y = self.run(
            f"(() => {{ const r = {box}.getClientRects()[0]; return [r.x + r.width / 2, r.y + r.height / 2] }})()"
        )
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, path, whole=True):
        found = self.call(
            "Page.captureScreenshot",
            format="png",
            captureBeyondViewport=whole,
            **(self._whole() if whole else {}),
        )
        Path(path).write_bytes(base64.b64decode(found["data"]))

    def _whole(self):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {
            "clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 12000), "scale": 1}
        }

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def close(self):
        self.socket.close()
