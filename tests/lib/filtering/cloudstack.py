# SPDX-License-Identifier: Apache-2.0
"""CloudStack's lists: filters by member, and numbered pages whose count is the whole list's."""
from faces import cloudstack

from . import ByMembers


class CloudStack(ByMembers, cloudstack.CloudStack):
    bad_pages = ({"page": "1"}, {"pagesize": "1"}, {"page": "0", "pagesize": "1"}, {"page": "1", "pagesize": "501"}, {"page": "1", "pagesize": "-1"},
                 {"page": "x", "pagesize": "1"})

    def __init__(self):
        super().__init__()
        paged = [n for n in self.filters if any(p["name"] == "page" and p["built"] for p in self.actions[n]["params"])]
        self.cases = {"finds": self.filters, "pages": paged, "refused_pages": paged}

    def make(self):
        return self.open()

    def page(self, place, name, size, where):
        number = where.get("page", 1)
        found = self.listed(place, name, {"page": str(number), "pagesize": str(size)})
        return found, {"page": number + 1} if found else None

    def refusal(self, place, name, page):
        """Returns the answer unless it is a refusal that names a page parameter."""
        status, answer, _ = place.call(name, **{**place.good(self.actions[name]), **page})
        return None if status == 431 and "page" in answer["errortext"] else answer
