# SPDX-License-Identifier: Apache-2.0
"""Both users of the console's tasks, each signed in once: a user of an account, and the region's administrator."""
import contextlib

import browser as web
from console import pages
from console_hand import Hand
from console_tasks import OF_REGION, Region


class Users(contextlib.ExitStack):
    def __enter__(self):
        super().__enter__()
        self.region = Region()
        self.callback(self.region.end)
        self.axe = web.axe_source()
        self.pages = {name: self.enter_context(pages(self.region.dev, name)) for name in ("dev", "admin")}
        return self

    def perform(self, task, way, width, language):
        b = self.pages["admin" if task in OF_REGION else "dev"]
        if b.run("return Boolean(document.querySelector('dialog[open], .palette'))"):  # left by a task that failed
            b.driver.refresh()
            b.until("return document.querySelector('nav.side')", what="the frame of the pages")
        b.faults()
        mark = f"{task.__name__.replace('_', '-')}-{way[0]}{width}{language}"
        task(Hand(b, way, width, language, self.axe), self.region, mark)
        assert not b.faults()
