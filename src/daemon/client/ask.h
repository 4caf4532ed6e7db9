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
/* A change: method and path as in the API, body NULL or its members, borrowed. */
RESULT asking_change(struct asking *a, const char *method, const char *path, const json_t *body);
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
