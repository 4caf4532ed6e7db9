# SPDX-License-Identifier: Apache-2.0
"""A fake desk with the part of ServiceNow's Table API and Attachment API that Dari's driver uses, including its peculiarities: a query term with an
unknown field is ignored; comments are written as a field and read as rows of sys_journal_field; times are UTC in whole seconds; resolving an
incident requires a close code and notes. It can close the connection in the middle of an answer, stop and restart."""
import base64
import datetime
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
import uuid

FIELDS = {"incident": {"sys_id", "number", "short_description", "description", "correlation_id", "correlation_display", "impact", "urgency", "priority", "state",
                       "hold_reason", "assignment_group", "caller_id", "close_code", "close_notes", "sys_created_on", "sys_updated_on", "sys_created_by"},
          "sys_journal_field": {"sys_id", "element_id", "element", "name", "value", "sys_created_on", "sys_created_by"},
          "sys_attachment": {"sys_id", "table_name", "table_sys_id", "file_name", "content_type", "size_bytes", "hash", "sys_created_on", "sys_created_by"}}
PRIORITY = {("1", "1"): "1", ("1", "2"): "2", ("2", "1"): "2", ("1", "3"): "3", ("2", "2"): "3", ("3", "1"): "3", ("2", "3"): "4", ("3", "2"): "4", ("3", "3"): "5"}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


class Desk:
    def __init__(self, name, password, robot="dari", port=0):
        self.name, self.password, self.robot, self.port = name, password, robot, port
        self.lock = threading.RLock()
        self.rows = {table: [] for table in FIELDS}
        self.content, self.calls, self.cut, self.server = {}, [], None, None
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

    # ---- actions of ServiceNow's staff and of Dari

    def add(self, table, who, **values):
        row = {f: "" for f in FIELDS[table]}
        row.update({k: v for k, v in values.items() if k in FIELDS[table]}, sys_id=uuid.uuid4().hex, sys_created_on=now(), sys_created_by=who)
        self.rows[table].append(row)
        return row

    def change(self, row, who, **values):
        """Changes fields of an incident. comments and work_notes are journals."""
        with self.lock:
            if values.get("state") == "6" and not (values.get("close_code") or row["close_code"]):
                return False
            for element in ("comments", "work_notes"):
                if values.get(element):
                    self.add("sys_journal_field", who, element_id=row["sys_id"], element=element, name="incident", value=values[element])
            row.update({k: str(v) for k, v in values.items() if k in FIELDS["incident"]}, sys_updated_on=now())
            row["priority"] = PRIORITY[(row["impact"] or "3", row["urgency"] or "3")]
            return True

    def create(self, who, **values):
        with self.lock:
            row = self.add("incident", who, **values)
            row.update(number=f"INC{len(self.rows['incident']):07}", state=row["state"] or "1")
            self.change(row, who)
            return row

    def attach(self, row, who, name, content, media="application/octet-stream"):
        with self.lock:
            file = self.add("sys_attachment", who, table_name="incident", table_sys_id=row["sys_id"], file_name=name, content_type=media,
                            size_bytes=str(len(content)), hash=hashlib.sha256(content).hexdigest())
            self.content[file["sys_id"]] = content
            row["sys_updated_on"] = now()
            return file

    def find(self, subject):
        with self.lock:
            return [r for r in self.rows["incident"] if r["short_description"] == subject]

    def said(self, row, element="comments", who=None):
        with self.lock:
            return [j["value"] for j in self.rows["sys_journal_field"]
                    if j["element_id"] == row["sys_id"] and j["element"] == element and who in (None, j["sys_created_by"])]

    def all_text(self):
        with self.lock:
            return json.dumps(self.rows) + "\n".join(c.decode(errors="replace") for c in self.content.values())

    # ---- queries

    def select(self, table, query):
        found, order = list(self.rows[table]), []
        for part in filter(None, query.split("^")):
            match = re.fullmatch(r"ORDERBY(DESC)?(\w+)", part)
            if match:
                order.append((match[2], bool(match[1])))
                continue
            match = re.match(r"([a-z_]+)(STARTSWITH|LIKE|IN|>=|=)(.*)", part, re.DOTALL)
            if not match or match[1] not in FIELDS[table]:
                continue
            field, sign, value = match.groups()
            fits = {"STARTSWITH": lambda v: v.startswith(value), "LIKE": lambda v: value in v, "IN": lambda v: v in value.split(","),  # pylint: disable=cell-var-from-loop
                    ">=": lambda v: v >= value, "=": lambda v: v == value}[sign]  # pylint: disable=cell-var-from-loop
            found = [r for r in found if fits(r[field])]
        for field, down in reversed(order):
            found.sort(key=lambda r: r[field], reverse=down)  # pylint: disable=cell-var-from-loop
        return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    desk = None

    def log_message(self, *_):
        pass

    def answer(self, status, value, media="application/json"):
        desk = self.desk
        if desk.cut and desk.cut in self.command + " " + self.path:  # carried out, but the client gets no answer
            desk.cut = None
            self.close_connection = True
            self.connection.close()
            return
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fail(self, status, message):
        self.answer(status, {"error": {"message": message, "detail": ""}, "status": "failure"})

    def handle_one(self):
        desk = self.desk
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        desk.calls.append(f"{self.command} {self.path}")
        wanted = "Basic " + base64.b64encode(f"{desk.robot}:{desk.password}".encode()).decode()
        if self.headers.get("Authorization") != wanted:
            return self.fail(401, "User Not Authenticated")
        where = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(where.query))
        with desk.lock:
            match = re.fullmatch(r"/api/now/table/(\w+)(?:/(\w+))?", where.path)
            if match and match[1] in FIELDS:
                return self.table(query, body, *match.groups())
            match = re.fullmatch(r"/api/now/attachment/(\w+)/file", where.path)
            if match and match[1] in desk.content:
                return self.answer(200, desk.content[match[1]], "application/octet-stream")
            if where.path == "/api/now/attachment/file" and self.command == "POST":
                row = next((r for r in desk.rows["incident"] if r["sys_id"] == query["table_sys_id"]), None)
                file = desk.attach(row, desk.robot, query["file_name"], body, self.headers["Content-Type"])
                return self.answer(201, {"result": file})
        return self.fail(404, "No Record found")

    do_GET = do_POST = do_PATCH = handle_one

    def table(self, query, body, table, identifier):
        desk = self.desk
        names = [f for f in query.get("sysparm_fields", "").split(",") if f] or sorted(FIELDS[table])

        def show(row):
            return {f: row[f] for f in names if f in row}
        if self.command == "POST":
            return self.answer(201, {"result": desk.create(desk.robot, **json.loads(body))})
        if not identifier:
            start = int(query.get("sysparm_offset", 0))
            found = desk.select(table, query.get("sysparm_query", ""))
            return self.answer(200, {"result": [show(r) for r in found[start:start + int(query.get("sysparm_limit", 10000))]]})
        row = next((r for r in desk.rows[table] if r["sys_id"] == identifier), None)
        if not row:
            return self.fail(404, "No Record found")
        if self.command == "PATCH" and not desk.change(row, desk.robot, **json.loads(body)):
            return self.fail(403, "Operation Failed")
        return self.answer(200, {"result": show(row)})
