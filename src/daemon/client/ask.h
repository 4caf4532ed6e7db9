/* SPDX-License-Identifier: Apache-2.0
 * Commands that are put together of calls of /api/v1 where they are typed: what they list and change are rows that others
 * than the operator may see and change, too. One code path for this machine and for others. One thread. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "daemon/client/client.h"

/* One call of such a command. */
struct asking {
	struct ctx *c;
	struct client_place *place;
	const char *words;  /* the command's */
	const json_t *args; /* texts by parameter name; flags are true; borrowed */
	struct buf text;    /* for people */
	json_t *value;      /* for --json; owned */
	/* ask.c's */
	json_t *kept;  /* answers, which rows are in */
	bool sees_all; /* it is the operator, or an administrator, who sees all accounts' rows */
};

/* A parameter's text; empty when not given. */
struct str asking_arg(const struct asking *a, const char *name);
/* All rows of a list that the caller sees, an administrator those of all accounts: an array of objects, good as long as the
 * call is. fields: "name,state", or NULL for the columns that the list has by itself. */
RESULT asking_list(struct asking *a, const char *path, const char *fields, const json_t **ret_rows);
/* A change: method and path as in the API, body NULL or its members, borrowed. *ret_answer is good as long as the call is. */
RESULT asking_change(struct asking *a, const char *method, const char *path, const json_t *body,
		     const json_t **ret_answer);
/* Anything else that an answer to a GET has; query as in struct client_request. */
RESULT asking_read(struct asking *a, const char *path, const char *query, const json_t **ret_answer);
/* Whether the caller sees all accounts' rows. */
RESULT asking_find_rights(struct asking *a);

/* A row's member; empty or 0 when it is absent or something else. */
struct str asking_text(const json_t *row, const char *member);
int64_t asking_int(const json_t *row, const char *member);
bool asking_bool(const json_t *row, const char *member);
/* The row of the list with that id; NULL: none. */
const json_t *asking_find(const json_t *rows, struct str id);

/* A path's segment, as its text goes into a URL. */
struct str asking_segment(const struct asking *a, struct str text);

/* carry.c: what a command's parameters become in the body of a call. */
enum carry {
	CARRY,         /* the text as it is; a flag: true */
	CARRY_FALSE,   /* a flag: false */
	CARRY_CHOICE,  /* "yes" or "no" */
	CARRY_COUNT,   /* 1 or more */
	CARRY_MIB,     /* a count of MiB as bytes */
	CARRY_LINES,   /* of what repeats: a list; "all" alone: an empty one */
	CARRY_COMMAS,  /* a list */
	CARRY_PAIRS,   /* of what repeats, NAME=VALUE: an object; "none" alone: an empty one */
	CARRY_RUN,     /* FIRST-LAST or a block of addresses, into two members "first|last" */
	CARRY_FILE,    /* what is in the file */
	CARRY_SECRET,  /* the same without white space around it */
	CARRY_KEYRING, /* the key in a file that has it alone, or that Ceph calls a keyring */
	CARRY_TIME,    /* "now", or as ISO 8601 has it: UTC microseconds */
};
struct carried {
	const char *member, *param;
	enum carry how;
	const char *constant; /* of a flag: this in its place. Of a text: the word for nothing */
};
RESULT asking_carry(struct asking *a, const struct carried *c, json_t *body);

/* --json says nothing. */
void asking_tell_nothing(struct asking *a);
/* A text as JSON; owned. */
json_t *asking_json(struct str text);

/* What becomes of each instance of a host, as answers have it. stays: before why one does not go. */
RESULT asking_write_moves(struct asking *a, const json_t *moves, const char *stays);

/* As command.ask: of a command that has a row in commands_changes.c. */
RESULT asking_make_change(struct asking *asking);
