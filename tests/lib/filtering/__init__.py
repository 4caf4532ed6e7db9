# SPDX-License-Identifier: Apache-2.0
"""Filters, orders and pages of lists (tests/contract/cross/filters.py). Each module adapts one face:

name, actions   as in the adapters of tests/lib/faces/
make()          creates a region with rows in each list
cases           {kind of query: names}; each kind is a method (place, name) that asserts the answer"""

NOBODYS = "no-such-value"


class ByMembers:
    """A face whose lists filter by the members that rows show. The face adds rows() and find() (faces/face.py), and

    page()      the rows of one page, and the parameters of the next page; None after the last page
    bad_pages   parameters that lists must refuse, one request each"""

    bad_pages = ()

    def finds(self, place, name):
        """Filters by each member's value: finds exactly the rows that have it; an unknown value finds none."""
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
        """Walks with several page sizes return the rows of the whole list, in its order."""
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
