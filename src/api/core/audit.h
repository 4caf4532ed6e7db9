/* SPDX-License-Identifier: Apache-2.0
 * The calls that the audit log records, and the contents of a record. One table (audited.def) has a row for every
 * action of any face that touches a secret or changes rights. A face looks its rows up when it starts, so
 * that an unrecorded call costs nothing.
 *
 *   a change     its record is part of its own transaction (api_commit)
 *   a read       its record is committed before the finished answer is sent
 *   a failure    its record is committed after everything is undone, and before the answer is sent
 *
 * Failures of unauthenticated callers that are alike within a minute share one record with a count
 * (op_audit_flood), so that strangers cannot fill the log. */
#pragma once

#include "http/server.h"
#include "store/audit.h"

/* Effect of a call on secrets: a bit set. */
enum audit_does {
	AUDIT_READS = 1,      /* shows an existing secret */
	AUDIT_CHANGES = 2,    /* changes, enables, disables or deletes a secret */
	AUDIT_ISSUES = 4,     /* creates a secret and shows it */
	AUDIT_RIGHTS = 8,     /* changes rights, or the addresses to which clients send their tokens */
	AUDIT_WHEN_SAID = 16, /* records only the calls that ask for it while they run (api_audit) */
};

struct audited {
	const char *action; /* "iam:CreateAccessKey", "identity:create_user", "dari:env" */
	unsigned does;      /* 0: its calls are not recorded, for the reason in why_not */
	enum kind kind;     /* kind of the row that it makes or changes; KIND_NONE: several kinds, or none */
	const char *why_not;
};
/* NULL: the table has no such action. Walks the whole table: for start-up. */
const struct audited *audited_find(const char *action);
/* The same, but NULL for an action whose calls are not recorded. */
const struct audited *audited_find_recorded(const char *action);
/* "always", "sometimes" or "never": how often calls of the action are recorded. For dumps. */
const char *audited_say_when(const char *action);
/* The whole table, for tests. */
const struct audited *audited_list(size_t *ret_count);

/* State of the record of one call; in the call's arena. */
struct audit_call {
	const struct audited *what;
	struct call *call;
	bool is_stranger; /* the caller was not authenticated, and the call failed */
	bool is_told;     /* its record was written, or writing it failed */
	/* Members that the face sets; the others follow from the context. */
	struct audit_record record;
	struct result result;     /* result of the call, while its record is being committed */
	struct buf body;          /* its answer, meanwhile */
	const char *content_type; /* the answer's */
	int status;
	void (*fail)(struct call *call, struct result result); /* answers when there is no record */
};

/* Begins the record of a call. face: its name in the record. NULL: `what` (which may be NULL) says that such calls are
 * not recorded; or the arena is full, and the call fails for that. */
struct audit_call *audit_begin(struct call *call, const struct audited *what, const char *face);
/* Appends NAME=VALUE to the record's subject. a may be NULL, for a call that is not recorded. The value is never a
 * secret. */
void audit_add_subject(struct audit_call *a, const char *name, struct str value);

/* On the committer: writes the record of a successful call, with the rows as the change leaves them. */
RESULT audit_append(struct op *op, struct audit_call *a);
/* On the committer: writes the record of a call that failed with that error, or changed nothing. */
RESULT audit_append_outcome(struct op *op, struct audit_call *a, enum err err);

/* "access-key:AKIA…", "application-credential:…", "trust:… trustee:…"; empty: there is none. */
struct str audit_write_credential(struct arena *a, const struct identity *who);
/* Source of a call: its client's address, or the peer of a unix socket, "unix:uid=0,pid=123". */
struct str audit_write_from(const struct call *call);
/* "reads,changes" */
struct str audit_write_does(struct arena *a, unsigned does);
