# SPDX-License-Identifier: Apache-2.0
"""A proxy that makes a PostgreSQL server look like other systems that speak its protocol: without notifications and advisory locks, and with conflicts
(SQLSTATE 40001) at commits and elsewhere. It rewrites statements; the server itself raises the error, so its transactions end up as with a real one.

Simulated are these demands alone. CockroachDB, YugabyteDB and Aurora differ in more."""
import random
import re
import socket
import struct
import threading

from postgresql import Proxy

UNSUPPORTED = "DO $$ BEGIN RAISE 'unimplemented' USING ERRCODE = '0A000'; END $$"
CONFLICT = "DO $$ BEGIN RAISE 'restart transaction' USING ERRCODE = '40001'; END $$"
# Takes the parameters of the statement in whose place it stands.
CONFLICT_FUNCTION = ("CREATE FUNCTION dialect_conflict(text, text, text) RETURNS TABLE (a bigint, b bigint) LANGUAGE plpgsql AS"
                     " $$ BEGIN RAISE 'restart transaction' USING ERRCODE = '40001'; END $$")
ABSENT = re.compile(r"(LISTEN|NOTIFY) |SELECT pg_advisory_", re.ASCII)
CONFLICTING = {"COMMIT": 0, "SELECT dari_fence(": 3, "UPDATE writer_lease SET expires = clock_timestamp()": 1, "SELECT epoch, batch FROM writer": 0,
               "SELECT batch, pruned, writer.epoch": 1}  # beginning: number of parameters
HEAD = struct.Struct("!cI")


class Dialect(Proxy):
    """conflicts: the share of conflicting statements that are refused. counts: what was refused, by beginning."""

    def __init__(self, server, conflicts, seed, address="127.0.0.1", port=0):
        self.conflicts, self.chance, self.counts, self.lock = conflicts, random.Random(seed), {}, threading.Lock()
        super().__init__(server, (address, port))

    def refuse(self, word):
        with self.lock:
            self.counts[word] = self.counts.get(word, 0) + 1

    def rewrite(self, sql, is_simple):
        absent = ABSENT.match(sql)
        if absent:
            self.refuse(absent[0].strip())
            return UNSUPPORTED
        for beginning, count in CONFLICTING.items():
            if sql.startswith(beginning):
                if self.chance.random() >= self.conflicts:
                    return sql
                self.refuse(beginning)
                if count:
                    return f"SELECT * FROM dialect_conflict({', '.join([f'${k + 1}' for k in range(count)] + [chr(39) * 2] * (3 - count))})"
                return f"ROLLBACK; {CONFLICT}" if sql == "COMMIT" and is_simple else CONFLICT  # a failed COMMIT ends the transaction
        return sql

    def copy(self, source, sink, direction):
        if direction != "requests":
            super().copy(source, sink, direction)
            return
        try:
            self.copy_messages(source, sink)
        except (OSError, struct.error):
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def copy_messages(self, source, sink):
        with source.makefile("rb") as stream:
            size = stream.read(4)
            sink.sendall(size + stream.read(struct.unpack("!I", size)[0] - 4))  # the start-up message has no type
            while head := stream.read(HEAD.size):
                kind, size = HEAD.unpack(head)
                body = stream.read(size - 4)
                if kind == b"Q":
                    body = self.rewrite(body[:-1].decode(), True).encode() + b"\0"
                elif kind == b"P":
                    name, sql, rest = body.split(b"\0", 2)
                    body = name + b"\0" + self.rewrite(sql.decode(), False).encode() + b"\0" + rest
                sink.sendall(HEAD.pack(kind, len(body) + 4) + body)


class DialectServer:
    """Has create(), url() and sql() as postgresql.Server has; clients come through a proxy, which URLs name `host`."""

    def __init__(self, server, conflicts, seed=1, host="127.0.0.1"):
        self.server, self.host, self.conflicts, self.seed = server, host, conflicts, seed
        self.proxy = Dialect(server, conflicts, seed)
        self.sql = server.sql

    def move(self, address):
        """Ends the proxy; another one serves at that address."""
        port = self.proxy.port
        self.proxy.close()
        self.proxy = Dialect(self.server, self.conflicts, self.seed, address, port)

    def url(self, database):
        return f"postgresql://postgres@{self.host}:{self.proxy.port}/{database}?sslmode=disable"

    def create(self, database):
        self.server.create(database)
        self.sql(database, CONFLICT_FUNCTION)
        return self.url(database)

    def close(self):
        self.proxy.close()
