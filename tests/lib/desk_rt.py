# SPDX-License-Identifier: Apache-2.0
"""A fake desk with the part of Request Tracker 5's REST2 that Dari's driver uses, including RT's peculiarities: it silently drops a custom field that
the queue does not have, answers 200 to an unknown state, returns no id from /correspond, and reopens a ticket at a reply. It can close the
connection instead of answering, delay an answer, stop and restart, and count requests."""
import base64
import contextlib
import datetime
import email
import email.policy
import http.server
import json
import re
import threading
import urllib.parse


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Desk:
    STATES = {"new", "open", "stalled", "resolved", "rejected", "deleted"}

    def __init__(self, name, token, robot="dari", field="Dari ticket", port=0):
        self.name, self.token, self.robot, self.field, self.port = name, token, robot, field, port
        self.lock = threading.RLock()
        self.tickets, self.transactions, self.attachments = {}, [], {}
        self.calls, self.cut, self.held, self.server = [], None, [], None
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        handler = type("Handler", (Handler,), {"desk": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @contextlib.contextmanager
    def holding(self, end):
        """Delays the answers to requests whose path ends so. The request itself is carried out at once; the event is set after that."""
        held = end, threading.Event(), threading.Event()
        self.held.append(held)
        try:
            yield held[1]
        finally:
            self.held.remove(held)
            held[2].set()

    # ---- actions of RT's staff and of Dari

    def note(self, ticket, kind, who, field="", old="", new="", text=None, files=()):
        with self.lock:
            number = len(self.transactions) + 1
            parts = []
            for name, media, content in ([(None, "text/plain", text.encode())] if text is not None else []) + list(files):
                identifier = len(self.attachments) + 1
                self.attachments[identifier] = {"id": str(identifier), "Filename": name or "", "ContentType": media,
                                                "Content": base64.encodebytes(content).decode()}
                parts.append(identifier)
            self.transactions.append({"id": str(number), "Type": kind, "ObjectId": str(ticket), "Field": field, "OldValue": old, "NewValue": new,
                                      "Created": now(), "Creator": {"id": who, "type": "user"}, "parts": parts})
            return number

    def open(self, subject, text, who, fields=None, queue="General", priority="0"):
        with self.lock:
            number = len(self.tickets) + 1
            kept = {k: v for k, v in (fields or {}).items() if k == self.field}
            self.tickets[number] = {"id": str(number), "Subject": subject, "Status": "new", "Queue": {"Name": queue}, "fields": kept, "Priority": priority}
            self.note(number, "Create", who, text=text)
            return number

    def correspond(self, ticket, text, who="kim", files=(), status=None):
        with self.lock:
            self.note(ticket, "Correspond", who, text=text, files=files)
            if self.tickets[ticket]["Status"] in ("new", "resolved", "rejected") and not status:
                self.status(ticket, "open", "RT_System")
            if status:
                self.status(ticket, status, who)

    def comment(self, ticket, text, who="kim"):
        self.note(ticket, "Comment", who, text=text)

    def status(self, ticket, to, who="kim"):
        with self.lock:
            before = self.tickets[ticket]["Status"]
            if before != to:
                self.tickets[ticket]["Status"] = to
                self.note(ticket, "Status", who, "Status", before, to)

    def said(self, ticket, kind="Correspond", who=None):
        with self.lock:
            return [base64.b64decode(self.attachments[t["parts"][0]]["Content"]).decode() if t["parts"] else "" for t in self.transactions
                    if t["ObjectId"] == str(ticket) and t["Type"] == kind and (who is None or t["Creator"]["id"] == who)]

    def find(self, subject):
        with self.lock:
            return [n for n, t in self.tickets.items() if t["Subject"] == subject]

    def file_names(self):
        with self.lock:
            return [a["Filename"] for a in self.attachments.values()]

    def all_text(self):
        with self.lock:
            return "\n".join([json.dumps(self.tickets)] + [base64.b64decode(a["Content"]).decode(errors="replace") for a in self.attachments.values()])

    def count(self, kind, who=None):
        with self.lock:
            return sum(t["Type"] == kind and who in (None, t["Creator"]["id"]) for t in self.transactions)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    desk = None

    def log_message(self, *_):
        pass

    def answer(self, status, value, etag=None):
        desk, asked = self.desk, f"{self.command} {self.path}"
        for end, reached, opened in list(desk.held):
            if asked.endswith(end):
                reached.set()
                opened.wait()
        if desk.cut and asked.endswith(desk.cut):  # carried out, but the client gets no answer
            desk.cut = None
            self.close_connection = True
            self.connection.close()
            return
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", f'"{etag}"')
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self):
        desk = self.desk
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        desk.calls.append(f"{self.command} {self.path}")
        if self.headers.get("Authorization") != f"token {desk.token}":
            return self.answer(401, {"message": "Unauthorized"})
        where = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(where.query))
        with desk.lock:
            for pattern, function in ROUTES:
                match = re.fullmatch(pattern, f"{self.command} {where.path}")
                if match:
                    return function(self, query, body, *map(int, match.groups()))
        return self.answer(404, {"message": "Not Found"})

    do_GET = do_POST = do_PUT = handle_one

    def last(self, number):
        return next(t["id"] for t in reversed(self.desk.transactions) if t["ObjectId"] == str(number))

    def create(self, query, body):
        said = json.loads(body)
        number = self.desk.open(said["Subject"], said.get("Content", ""), self.desk.robot, said.get("CustomFields"), said["Queue"], said.get("Priority", "0"))
        self.answer(201, {"id": str(number), "type": "ticket", "_url": f"{self.desk.url}/REST/2.0/ticket/{number}"})

    def show(self, query, body, number):
        if number not in self.desk.tickets:
            return self.answer(404, {"message": "Not Found"})
        return self.answer(200, {k: v for k, v in self.desk.tickets[number].items() if k != "fields"}, self.last(number))

    def change(self, query, body, number):
        said = json.loads(body)
        if self.headers.get("If-Match") and self.headers["If-Match"].strip('"') != self.last(number):
            return self.answer(412, {"message": "Precondition Failed"})
        words = []
        for key, value in said.items():
            if key == "Status" and value not in Desk.STATES:
                words.append(f"Status '{value}' isn't a valid status for tickets.")
            elif key == "Status":
                self.desk.status(number, value, self.desk.robot)
                words.append(f"Status changed to '{value}'")
            else:
                self.desk.tickets[number][key] = value
                self.desk.note(number, "Set", self.desk.robot, key, "", str(value))
                words.append(f"{key} changed")
        return self.answer(200, words)

    def correspond(self, query, body, number):
        files = []
        if self.headers["Content-Type"].startswith("multipart/"):
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            whole = email.message_from_bytes(head + body, policy=email.policy.HTTP)
            parts = {}
            for part in whole.iter_parts():
                name = part.get_param("name", header="content-disposition")
                if name == "JSON":
                    parts = json.loads(part.get_payload(decode=True))
                else:
                    files.append((part.get_filename(), part.get_content_type(), part.get_payload(decode=True)))
        else:
            parts = json.loads(body)
        self.desk.correspond(number, parts["Content"], self.desk.robot, files)
        self.answer(201, ["Correspondence added"])

    def history(self, query, body, number):
        items = [t for t in self.desk.transactions if t["ObjectId"] == str(number)]
        self.page(items, query)

    def page(self, items, query):
        size, page = int(query.get("per_page", 20)), int(query.get("page", 1))
        shown = items[(page - 1) * size:page * size]
        self.answer(200, {"items": [{k: v for k, v in t.items() if k != "parts"} for t in shown], "total": len(items), "page": page, "count": len(shown)})

    def changes(self, query, body):
        after = next(int(t["value"]) for t in json.loads(body) if t["field"] == "id")
        items = [t for t in self.desk.transactions if int(t["id"]) > after]
        self.page(items[::-1] if query.get("order") == "DESC" else items, query)

    def parts(self, query, body, number):
        found = self.desk.transactions[number - 1]["parts"]
        self.answer(200, {"items": [{k: self.desk.attachments[a][k] for k in ("id", "Filename", "ContentType")} for a in found]})

    def attachment(self, query, body, number):
        self.answer(200, self.desk.attachments[number])

    def search(self, query, body):
        match = re.fullmatch(r"'CF\.\{(.*)\}' = '(.*)'", query["query"])
        found = [t for t in self.desk.tickets.values() if t["fields"].get(match[1]) == match[2]]
        self.answer(200, {"items": [{"id": t["id"], "type": "ticket"} for t in found], "total": len(found)})


BASE = "/REST/2.0"
ROUTES = [(f"POST {BASE}/ticket", Handler.create), (f"GET {BASE}/ticket/(\\d+)", Handler.show), (f"PUT {BASE}/ticket/(\\d+)", Handler.change),
          (f"POST {BASE}/ticket/(\\d+)/correspond", Handler.correspond), (f"GET {BASE}/ticket/(\\d+)/history", Handler.history),
          (f"POST {BASE}/transactions", Handler.changes), (f"GET {BASE}/transaction/(\\d+)/attachments", Handler.parts),
          (f"GET {BASE}/attachment/(\\d+)", Handler.attachment), (f"GET {BASE}/tickets", Handler.search)]
