# SPDX-License-Identifier: Apache-2.0
"""Filters, orders and pages of lists (tests/contract/cross/filters.py). Each module adapts one face:

name, actions   as the adapters of tests/lib/faces/ have them
make()          makes a region with rows in each list
cases           {kind of question: what it is asked about}; each kind is a method (place, what) that asserts the answer"""

NOBODYS = "no-such-value"


class ByMembers:
    """A face whose lists find rows by the members that the rows show. The face adds rows() and find() (faces/face.py), and

    page()      the rows of one page, and what the next page is asked by; None behind the last page
    bad_pages   what lists refuse: parameters of one request each"""

    bad_pages = ()

    def finds(self, place, name):
        """Each member's value as a filter: the rows that have it, and no other; a value of nobody's finds none."""
        rows, wrong = self.rows(place, name), []
        assert rows or name in self.empty, "it lists nothing: the region has to make one"
        for member in sorted({k for row in rows for k in row} - self.unfit.get(name, set())):
            values = sorted({text(row[member]) for row in rows if isinstance(row.get(member), (str, int, bool)) and row[member] != ""})
            for value in [*values[:3], NOBODYS] if values else ():
                found = self.find(place, name, member, value)
                wanted = [row for row in rows if text(row.get(member)) == value]
                if found is not None and sorted(map(str, found)) != sorted(map(str, wanted)):
                    wrong.append(f"{member}={value} finds {len(found)} rows; {len(wanted)} have it")
        return wrong

    def pages(self, place, name):
        """Pages of several sizes, one after another, show what the whole list does, in its order."""
        whole = self.rows(place, name)
        for size in sorted({1, 2, max(1, len(whole) - 1), max(1, len(whole)), len(whole) + 1}) if len(whole) < MANY else (MANY // 2,):
            walked, next_page = [], {}
            while next_page is not None:
                found, next_page = self.page(place, name, size, next_page)
                assert len(found) <= size and len(walked) <= len(whole), f"pages of {size}: {len(found)} rows on one of them"
                walked += found
            assert walked == whole, f"pages of {size} show {len(walked)} rows, the list {len(whole)}"

    def refused_pages(self, place, name):
        return [f"{page}: {answer}" for page in self.bad_pages for answer in [self.refusal(place, name, page)] if answer]


MANY = 40


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
