/* SPDX-License-Identifier: Apache-2.0
 * Commands composed of /api/v1 calls in the client: they list and change rows that others than the operator
 * may access too, so the same code works locally and remotely. One thread. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "daemon/client/client.h"

/* A running command. */
struct asking {
	struct ctx *c;
	struct client_place *place;
	const char *words;  /* the command's */
	const json_t *args; /* borrowed; texts by parameter name, true for flags */
	struct buf text;    /* for people */
	json_t *value;      /* owned; for --json */
	/* private: */
	json_t *kept;  /* answers that contain the rows */
	bool sees_all; /* the operator or an administrator, who sees all accounts' rows */
};

/* A parameter's text; empty: not given. */
struct str asking_arg(const struct asking *a, const char *name);
/* Lists all rows visible to the caller (for an administrator of all accounts): an array of objects, valid as
 * long as the call. fields: "name,state"; NULL: the list's default columns. */
RESULT asking_list(struct asking *a, const char *path, const char *fields, const json_t **ret_rows);
/* Makes a change: method and path as in the API; body: borrowed, NULL: none. *ret_answer is valid as long as
 * the call. */
RESULT asking_change(struct asking *a, const char *method, const char *path, const json_t *body,
		     const json_t **ret_answer);
/* Reads any other answer to a GET; query as in struct client_request. */
RESULT asking_read(struct asking *a, const char *path, const char *query, const json_t **ret_answer);
/* Determines whether the caller sees all accounts' rows. */
RESULT asking_find_rights(struct asking *a);

/* A row's member; empty or 0 if absent or of another type. */
struct str asking_text(const json_t *row, const char *member);
int64_t asking_int(const json_t *row, const char *member);
/* A time, to the second; `none` if the member is 0. In the call's arena. */
const char *asking_time(const struct asking *a, const json_t *row, const char *member, const char *none);
bool asking_bool(const json_t *row, const char *member);
/* The row with that id; NULL: none. */
const json_t *asking_find(const json_t *rows, struct str id);
/* Finds the row of a list whose id or name is the argument "name". An operator sees rows of several accounts, so a name
 * may fit more than one. kinds: plural noun for the messages. ERR_NOT_FOUND: no row; ERR_INVALID: several. */
RESULT asking_find_named(struct asking *a, const char *path, const char *fields, const char *kinds,
			 const json_t **ret_row);
/* "LIST/ID" and the rest of the path of a call about a row. */
const char *asking_path(const struct asking *a, const char *list, const json_t *row, const char *rest);

/* Encodes text as a URL path segment. */
struct str asking_segment(const struct asking *a, struct str text);

/* carry.c: conversions of command parameters to members of a body. */
enum carry {
	CARRY,         /* the text unchanged; a flag: true */
	CARRY_FALSE,   /* a flag: false */
	CARRY_CHOICE,  /* "yes" or "no" */
	CARRY_COUNT,   /* at least 1 */
	CARRY_NUMBER,  /* at least 0 */
	CARRY_MIB,     /* MiB, converted to bytes */
	CARRY_LINES,   /* a repeatable option: a list; only "all": an empty one */
	CARRY_COMMAS,  /* a comma-separated list */
	CARRY_PAIRS,   /* a repeatable NAME=VALUE: an object; only "none": an empty one */
	CARRY_RUN,     /* FIRST-LAST or a block of addresses, into two members "first|last" */
	CARRY_FILE,    /* content of the file */
	CARRY_SECRET,  /* likewise, trimmed */
	CARRY_KEYRING, /* the key from a file containing only the key, or a Ceph keyring */
	CARRY_TIME,    /* "now", or ISO 8601: UTC microseconds */
};
struct carried {
	const char *member, *param;
	enum carry how;
	const char *constant; /* value for a flag; for a text, the word that means none */
};
RESULT asking_carry(struct asking *a, const struct carried *c, json_t *body);
RESULT asking_carry_all(struct asking *a, const struct carried *members, size_t count, json_t *body);

/* Makes --json print nothing. */
void asking_tell_nothing(struct asking *a);
/* A text as JSON; owned. */
json_t *asking_json(struct str text);

/* Prints the moves of a host's instances. stays: text before the reason why one remains. */
RESULT asking_write_moves(struct asking *a, const json_t *moves, const char *stays);

/* Implements command.ask for a command with a row in commands_changes.c. */
RESULT asking_make_change(struct asking *asking);
