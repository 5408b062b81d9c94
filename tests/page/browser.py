"""A headless Chromium, spoken to over its DevTools protocol, with nothing but the standard library."""

import base64
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request


def executable():
    """The browser's path, or None where there is none."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


class Browser:
    """One page of `width` by `height`. Messages of the console and exceptions are gathered in `complaints`."""

    def __init__(self, width=1400, height=900, dark=False):
        self.folder = tempfile.mkdtemp(prefix="weft-page-")
        self.process = subprocess.Popen(
            [executable(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0",
             f"--user-data-dir={self.folder}", f"--window-size={width},{height}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        address = None
        for line in self.process.stderr:
            if found := re.search(r"ws://([\d.]+):(\d+)/", line):
                address = found.groups()
                break
        assert address, "the browser did not start"
        # What it says later must not fill the pipe.
        os.set_blocking(self.process.stderr.fileno(), False)
        pages = json.load(urllib.request.urlopen(f"http://{address[0]}:{address[1]}/json"))
        path = next(p for p in pages if p["type"] == "page")["webSocketDebuggerUrl"].split("/", 3)[3]
        self.socket = socket.create_connection((address[0], int(address[1])))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET /{path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(4096)
        self.buffer = self.buffer.split(b"\r\n\r\n", 1)[1]
        self.next_id = 0
        self.complaints = []
        self.loaded = False
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        if dark:
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def _receive(self, count):
        while len(self.buffer) < count:
            data = self.socket.recv(65536)
            assert data, "the browser has hung up"
            self.buffer += data
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _message(self):
        text = b""
        while True:
            first, second = self._receive(2)
            length = second & 127
            if length == 126:
                length = struct.unpack(">H", self._receive(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self._receive(8))[0]
            text += self._receive(length)
            if first & 128:
                return json.loads(text)

    def call(self, method, **parameters):
        self.next_id += 1
        data = json.dumps({"id": self.next_id, "method": method, "params": parameters}).encode()
        mask = os.urandom(4)
        head = struct.pack(">BB", 129, 128 | len(data)) if len(data) < 126 else struct.pack(">BBQ", 129, 128 | 127, len(data))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
        while True:
            message = self._message()
            if message.get("id") == self.next_id:
                assert "error" not in message, message["error"]
                return message["result"]
            self._note(message)

    def _note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])

    def open(self, path, fragment=""):
        """Returns the seconds until the page stands."""
        start = time.time()
        self.loaded = False
        self.call("Page.navigate", url=f"file://{os.path.abspath(path)}{fragment}")
        while not self.loaded:
            self._note(self._message())
        return time.time() - start

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_for(self, expression, what, seconds=60):
        end = time.time() + seconds
        while not self.value(f"!!({expression})"):
            assert time.time() < end, f"there is no {what} after {seconds} seconds"
            time.sleep(0.02)

    def click(self, selector):
        """In the middle of the element; of a box of the graph on its title."""
        place = self.value(f"""(() => {{
            const e = document.querySelector({json.dumps(selector)});
            if (!e) return null;
            e.scrollIntoView({{block: "nearest"}});
            const r = (e.querySelector("text.title") || e).getBoundingClientRect();
            return [r.x + r.width / 2, r.y + r.height / 2];
        }})()""")
        assert place, f"there is no {selector}"
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def hover(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" and len(key) == 1 else "")

    def write(self, selector, text):
        self.click(selector)
        self.call("Input.insertText", text=text)

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
