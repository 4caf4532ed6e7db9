# SPDX-License-Identifier: Apache-2.0
"""The lists of Dari's own API: filters by member, cursors, and an order by each member."""
from dev import quote
from faces import native
from faces.native import ask

from . import ByMembers


class Native(ByMembers, native.Native):
    bad_pages = ({"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"limit": "-1"}, {"after": "x"}, {"after": "AAAA"}, {"order": "no_such_member"},
                 {"fields": "no_such_member"})

    def __init__(self):
        super().__init__()
        self.cases = {"finds": self.filters, "pages": self.filters, "refused_pages": self.filters, "order": self.filters}

    def make(self):
        return self.open()

    def ask_list(self, place, name, given):
        query = "&".join(f"{k}={quote(v)}" for k, v in given.items())
        return ask(place.root, "GET", f"{self.actions[name]['path']}?{query}")

    def page(self, place, name, size, where):
        answer = self.ask_list(place, name, {"fields": "*", "limit": size, **where})
        assert answer.status == 200, answer
        return answer.json["items"], {"after": answer.json["next"]} if "next" in answer.json else None

    def refusal(self, place, name, page):
        """Returns the answer unless it is a refusal that names the parameter."""
        answer = self.ask_list(place, name, page)
        return None if answer.status == 400 and answer.json["field"] == next(iter(page)) else answer

    def order(self, place, name):
        """Orders the list by each sortable member, both ways."""
        whole = self.rows(place, name)
        for member in sorted({k for row in whole for k, v in row.items() if isinstance(v, (str, int, bool))}):
            up, down = (self.ask_list(place, name, {"fields": "*", "limit": 1000, "order": sign + member}) for sign in ("", "-"))
            if up.status == 400:
                assert up.json["field"] == "order" and down.status == 400, f"{member}: {up} {down}"
                continue
            up, down = up.json["items"], down.json["items"]
            assert down == up[::-1] and sorted(map(str, up)) == sorted(map(str, whole)), f"{member}: other rows, or another order backwards"
            said = [row[member] for row in up if member in row]
            numbers = all(isinstance(v, int) for v in said)
            assert not numbers or said == sorted(said), f"{member}: {said}"
