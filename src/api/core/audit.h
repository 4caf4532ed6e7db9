/* SPDX-License-Identifier: Apache-2.0
 * Which calls the audit log tells of, and what of each. One table (audited.def) has an entry for every action
 * that touches a secret or says who may what, whatever face it is of; a face looks its rows up when it starts
 * and asks nothing of a call whose row says nothing.
 *
 *   a change     its record is written in its own transaction (api_commit)
 *   a read       its record is committed before the answer, which is written already, is sent
 *   a failure    likewise, behind whatever was undone: before the caller is told
 *
 * Who was not proved to be anybody may fail as often as the limits let him: what is alike within a minute is
 * one record with a count (op_audit_flood). */
#pragma once

#include "http/server.h"
#include "store/audit.h"

/* What a call does to secrets: a bit set. */
enum audit_does {
	AUDIT_READS = 1,      /* shows a secret that is there */
	AUDIT_CHANGES = 2,    /* changes one, enables, disables or deletes it */
	AUDIT_ISSUES = 4,     /* makes one and hands it out */
	AUDIT_RIGHTS = 8,     /* changes who may what, or where clients send their tokens */
	AUDIT_WHEN_SAID = 16, /* only calls that say so when they turn out to touch one */
};

struct audited {
	const char *action; /* "iam:CreateAccessKey", "identity:create_user", "dari:env" */
	unsigned does;      /* 0: it is not recorded, and why_not says why */
	enum kind kind;     /* of the row that it makes or changes; KIND_NONE: no one kind's */
	const char *why_not;
};
/* NULL: the table does not have it. Walks the whole table: for start-up. */
const struct audited *audited_find(const char *action);
/* The same, but NULL for what is not recorded. */
const struct audited *audited_find_recorded(const char *action);
/* When its calls are recorded, for dumps: "always", "sometimes", "never". */
const char *audited_say_when(const char *action);
/* All of it, for tests. */
const struct audited *audited_list(size_t *ret_count);

/* What is kept of a call that is recorded; in the call's arena. */
struct audit_call {
	const struct audited *what;
	struct call *call;
	bool is_stranger; /* nobody was proved to ask, and the call failed */
	bool is_told;     /* its record is written, or could not be */
	/* What the face says by itself; the rest follows from the context. */
	struct audit_record record;
	struct result result;     /* of the call, while its record is on its way */
	struct buf body;          /* likewise: its answer */
	const char *content_type; /* the answer's */
	int status;
	void (*fail)(struct call *call, struct result result); /* answers when there is no record */
};

/* From here on the call is recorded. face: as in the record. NULL: it is not, as what (which may be NULL)
 * says; or the arena is full, and the call fails for that. */
struct audit_call *audit_begin(struct call *call, const struct audited *what, const char *face);
/* Of a call that may not be recorded (a NULL: nothing): the subject, "NAME=VALUE", behind what it has
 * already. A secret is never one. */
void audit_add_subject(struct audit_call *a, const char *name, struct str value);

/* On the committer: the record of a call that did what was asked, as the change leaves the rows. */
RESULT audit_append(struct op *op, struct audit_call *a);
/* On the committer: of one that failed with that kind of failure, or that changed nothing. */
RESULT audit_append_outcome(struct op *op, struct audit_call *a, enum err err);

/* "access-key:AKIA…", "application-credential:…", "trust:… trustee:…"; empty: there is none. */
struct str audit_write_credential(struct arena *a, const struct identity *who);
/* Where a call came from: its client's address, or who holds the other end of a unix socket, "unix:uid=0,pid=123". */
struct str audit_write_from(const struct call *call);
/* "reads,changes" */
struct str audit_write_does(struct arena *a, unsigned does);
