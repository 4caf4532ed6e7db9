# SPDX-License-Identifier: Apache-2.0
"""Services of AWS's REST protocol with JSON, with the standard library alone, where boto3 would refuse the request or repeat it: methods and paths are those of
`dari dump`."""
import copy
import json

import dev as lib
import target_world


class Answer(target_world.Answer):
    def __init__(self, answer):
        super().__init__(answer)
        self.message = self.json.get("Message", "")


class World:
    """Base of the services' worlds: .dev and .account are set, .requests has a valid request of each action."""
    actions, service, requests = {}, "", {}

    def call(self, name, body, by=None, headers=None, raw=None, more=()):
        """Sends the action with these members, of which the tables say whether they are in the path, the query or the body; more: further pairs of the query."""
        action, members, account = self.actions[name], dict(body), by or self.account
        path, sign_path, pairs = action["path"], action["path"], list(more)
        for word in [n for n in members if "{" + n + "}" in path]:
            quoted = lib.quote(str(members.pop(word)))
            path, sign_path = path.replace("{" + word + "}", quoted), sign_path.replace("{" + word + "}", lib.quote(quoted))
        if action["method"] in ("GET", "DELETE"):
            pairs += [(k, v) for k, values in members.items() if values is not None for v in (values if isinstance(values, list) else [values])]
            data = b""
        else:
            data = json.dumps(members).encode()
        return self.send(account, action["method"], path, sign_path, pairs, data if raw is None else raw, headers)

    def send(self, account, method, path, sign_path, pairs=(), data=b"", headers=None):
        query = "&".join(sorted(f"{lib.quote(str(k))}={lib.quote(str(v))}" for k, v in pairs))
        sent = {**account.sign(method, query, data, self.service, sign_path), "Content-Type": "application/json", **(headers or {})}
        return Answer(account.send(method, path + ("?" + query if query else ""), {k: v for k, v in sent.items() if v is not None}, data))

    def ok(self, name, body):
        answer = self.call(name, body)
        assert answer.status == 200, f"{name}: {answer}"
        return answer

    def request(self, name):
        return copy.deepcopy(self.requests[name])
