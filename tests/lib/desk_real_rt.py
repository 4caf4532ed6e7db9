# SPDX-License-Identifier: Apache-2.0
"""Debian's Request Tracker 5 as a desk: an SQLite database, RT's own web server on loopback, and its staff's actions by REST2. It has the interface
of desk_rt.Desk, so that one test can run against either. It can be killed and restarted."""
import base64
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import clone
import waiting

SERVER = "/usr/share/request-tracker5/libexec/rt-server"
FIELD = "Dari ticket"

# Dari's service account with a token, the custom field by which tickets are found, and the staff user Kim. REST2 can create none of these.
SETTING_UP = r"""
use lib '/usr/share/request-tracker5/lib';
use RT; RT::LoadConfig(); RT::Init();
my $root = RT::CurrentUser->new(RT->SystemUser); $root->Load('root');
my $queue = RT::Queue->new($root); $queue->Load('General');
my $field = RT::CustomField->new($root);
my ($ok, $why) = $field->Create(Name => $ENV{FIELD}, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket');
die $why unless $ok;
($ok, $why) = $field->AddToObject($queue); die $why unless $ok;
for my $name ('dari', 'kim') {
    my $user = RT::User->new($root);
    ($ok, $why) = $user->Create(Name => $name, Privileged => 1, EmailAddress => "$name\@example.com", Password => 'none-is-used'); die $why unless $ok;
    $user->PrincipalObj->GrantRight(Right => $_, Object => RT->System)
        for qw(SeeQueue ShowTicket ShowTicketComments CreateTicket ReplyToTicket CommentOnTicket ModifyTicket SeeCustomField ModifyCustomField OwnTicket ShowOutgoingEmail);
    my $token = RT::AuthToken->new($root);
    my ($made, $said, $text) = $token->Create(Owner => $user->id, Description => 'rest');
    die $said unless $made;
    print "$name $text\n";
}
"""


def is_here():
    return os.path.exists(SERVER)


class Desk:
    def __init__(self, folder, name):
        self.name, self.folder, self.port, self.process = name, os.path.join(str(folder), name), clone.reserve_ports(), None
        self.read_parts, self.last_transaction = {}, 0
        os.makedirs(os.path.join(self.folder, "empty"))
        self.env = dict(os.environ, RT_SITE_CONFIG=os.path.join(self.folder, "RT_SiteConfig.pm"), RT_SITE_CONFIG_DIR=os.path.join(self.folder, "empty"),
                        FIELD=FIELD, PERL5LIB="")
        with open(self.env["RT_SITE_CONFIG"], "w", encoding="ascii") as f:
            f.write(f"Set($rtname, '{name}'); Set($Organization, '{name}'); Set($Timezone, 'UTC'); Set($DatabaseType, 'SQLite');\n"
                    f"Set($DatabaseName, '{self.folder}/rt.db'); Set($WebDomain, '127.0.0.1'); Set($WebPort, {self.port}); Set($WebPath, '');\n"
                    f"Set($WebBaseURL, 'http://127.0.0.1:{self.port}'); Set($MailCommand, 'testfile'); Set($LogToSTDERR, 'warning');\n"
                    f"Set($LogToSyslog, undef); Set($LogDir, '{self.folder}'); 1;\n")
        self.run("/usr/sbin/rt-setup-database-5", "--action", "init")
        said = self.run("/usr/bin/perl", "-e", SETTING_UP)
        self.tokens = dict(re.findall(r"^(dari|kim) (\S+)$", said, re.MULTILINE))
        self.token = self.tokens["dari"]
        self.start()

    def run(self, *argv):
        done = waiting.run(argv, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        log = open(os.path.join(self.folder, "server.log"), "ab")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(["/usr/bin/perl", SERVER, "--port", str(self.port), "--host", "127.0.0.1", "--max-workers", "2"],
                                        env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)
        def answers():
            try:
                return self.ask("GET", "/queues/all")
            except OSError:
                assert self.process.poll() is None, waiting.read(log.name)
                return None
        waiting.wait_until(answers, "RT answers", of=self.process, shows=lambda: waiting.read(log.name))
        waiting.watch(self)

    def stop(self, number=signal.SIGKILL):
        """Ends the whole session, which includes RT's workers."""
        waiting.unwatch(self)
        os.killpg(self.process.pid, number)
        waiting.communicate(self.process)

    def end(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- interface of waiting.py: a busy machine's RT takes minutes for a few messages, while Dari waits for its answers

    def watched(self):
        return [self.process.pid]

    def progress(self):
        """The number of RT's last transaction; each message, file and change of state is one."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.folder}/rt.db?mode=ro", uri=True)) as database:
                self.last_transaction = database.execute("SELECT max(id) FROM Transactions").fetchone()[0]
        except sqlite3.OperationalError:  # RT is writing
            pass
        return self.last_transaction

    def has_ended(self):
        return self.process.poll() is not None and f"{self.name} has ended with {self.process.returncode}"

    # ---- actions of RT's staff

    def ask(self, method, path, value=None, who="kim"):
        body = json.dumps(value).encode() if value is not None else None
        request = urllib.request.Request(self.url + "/REST/2.0" + path, method=method, data=body,
                                         headers={"Authorization": f"token {self.tokens[who]}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=waiting.HANG_S) as answer:
            return json.load(answer)

    def correspond(self, ticket, text, files=()):
        parts = [{"FileName": n, "FileType": t, "FileContent": base64.b64encode(c).decode()} for n, t, c in files]
        self.ask("POST", f"/ticket/{ticket}/correspond", {"Content": text, "ContentType": "text/plain", **({"Attachments": parts} if parts else {})})

    def comment(self, ticket, text):
        self.ask("POST", f"/ticket/{ticket}/comment", {"Content": text, "ContentType": "text/plain"})

    def status(self, ticket, to):
        self.ask("PUT", f"/ticket/{ticket}", {"Status": to})
        assert self.show(ticket)["Status"] == to

    # ---- reads

    def show(self, ticket):
        return self.ask("GET", f"/ticket/{ticket}")

    def field(self, ticket):
        return {f["name"]: f["values"] for f in self.show(ticket)["CustomFields"]}.get(FIELD)

    def find(self, subject):
        """Tickets with that subject."""
        query = urllib.parse.quote(f"Subject = '{subject}'")
        return [t["id"] for t in self.ask("GET", f"/tickets?query={query}")["items"]]

    def transactions(self, ticket, kind=None, who=None):
        items, page = [], 1
        while True:
            said = self.ask("GET", f"/ticket/{ticket}/history?fields=Type,Creator,Created&per_page=100&page={page}")
            items += said["items"]
            if page >= (said.get("pages") or 1):  # RT sends null if there are none
                break
            page += 1
        return [t for t in items if kind in (None, t["Type"]) and who in (None, t["Creator"]["id"] if isinstance(t["Creator"], dict) else t["Creator"])]

    def parts(self, transaction):
        """Parts of a transaction: (name, content) each, texts first. They never change, so each is read once: tests that wait ask again and again."""
        if transaction in self.read_parts:
            return self.read_parts[transaction]
        said = self.ask("GET", f"/transaction/{transaction}/attachments?fields=Filename,ContentType&per_page=100")
        whole = [self.ask("GET", f"/attachment/{a['id']}") for a in said["items"]]
        found = [(a.get("Filename") or "", base64.b64decode(a.get("Content") or "")) for a in whole if a.get("ContentType", "").split("/")[0] != "multipart"]
        if found:
            self.read_parts[transaction] = found
        return found

    def said(self, ticket, kind="Correspond", who=None):
        return [next((c.decode() for n, c in self.parts(t["id"]) if not n), "") for t in self.transactions(ticket, kind, who)]

    def files(self, ticket):
        return {n: c for t in self.transactions(ticket) if t["Type"] in ("Create", "Correspond") for n, c in self.parts(t["id"]) if n}

    def all_text(self):
        """All texts in the database."""
        return subprocess.run(["/usr/bin/sqlite3", os.path.join(self.folder, "rt.db"), ".dump"], capture_output=True, check=True).stdout.decode(errors="replace")
