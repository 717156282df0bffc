"""A page of the race as somebody uses it."""

from __future__ import annotations

import importlib.resources
import json
import time

# How much of the standings is out of sight.
BESIDE = (
    "(box => box.scrollWidth - box.clientWidth)(document.getElementById('standings').parentElement)"
)
SMALL = (
    "[...document.querySelectorAll('body *')].filter(e => e.innerText?.trim() &&"
    " parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.outerHTML)"
)
AXE = (
    "const done = arguments[0]; axe.run().then(r => done(r.violations.map(v =>"
    " [v.id, v.nodes.map(n => n.html.slice(0, 200))])))"
)


class Page:
    """A page as somebody uses it."""

    def __init__(self, browser, address):
        self.browser = browser
        self.resize(1280)
        browser.get("about:blank")
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(address)

    def resize(self, width, dark=False, calm=False):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
        ]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def click(self, name):
        self.browser.execute_script("document.getElementById(arguments[0]).click()", name)

    def text(self, name):
        return self.browser.execute_script(
            "const e = document.getElementById(arguments[0]); return e.hidden ? '' : e.innerText",
            name,
        ).replace("\u00a0", " ")

    def do(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def until(self, script, seconds=15.0):
        end = time.monotonic() + seconds
        while not (found := self.do(f"return {script}")):
            assert time.monotonic() < end, f"never {script}: {self.text('controls')}"
            time.sleep(0.05)
        return found

    def rows(self, table):
        return self.do(
            "return [...document.querySelectorAll(`#${arguments[0]} tr`)]"
            ".map(row => [...row.cells].map(cell => cell.innerText.trim()))",
            table,
        )

    def quiet(self, *hosts):
        """Nothing was complained of, and nothing asked of anybody else."""
        assert self.browser.get_log("browser") == []
        events = [json.loads(e["message"])["message"] for e in self.browser.get_log("performance")]
        asked = [
            e["params"]["request"]["url"]
            for e in events
            if e["method"] == "Network.requestWillBeSent"
        ]
        allowed = ("data:", "about:", *hosts)
        assert [url for url in asked if not url.startswith(allowed)] == []

    def press(self, *keys):
        """Press keys where the focus is."""
        from selenium.webdriver import ActionChains  # which not everybody has

        ActionChains(self.browser, duration=0).send_keys(*keys).perform()

    def leaves_nobody_out(self, width):
        """By what axe-core finds; nothing is small, or out of sight sideways."""
        if not self.do("return !!window.axe"):
            self.do(importlib.resources.files("axe_core_python").joinpath("axe.min.js").read_text())
        assert self.browser.execute_async_script(AXE) == []
        assert self.do("return document.documentElement.scrollWidth") <= width
        assert self.do(f"return {BESIDE}") <= 0
        assert self.do(f"return {SMALL}") == []
