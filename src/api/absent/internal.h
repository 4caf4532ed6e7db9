/* SPDX-License-Identifier: Apache-2.0
 * Private to api/absent/: the protocols, and the table of empty lists. */
#pragma once

#include "api/core/dispatch.h"

/* A protocol, and so a form of errors and answers. */
enum form { QUERY, JSON_1_0, JSON_1_1, REST_JSON, REST_XML, S3, CBOR, FORM_COUNT };

struct service {
	const char *name;
	enum form form;
	const char *name_space;
};

struct empty_list;
struct absent_call {
	API_CALL_BASE;
	struct str service;            /* as it was signed for */
	const struct service *row;     /* NULL: a service that the table does not know */
	const struct empty_list *list; /* NULL: the call is refused */
	struct str operation;          /* requested list operation, names the answer's element */
	enum form form;
};

/* The list that the request asks for; NULL: none of the table. Sets e->operation. */
const struct empty_list *absent_find_list(struct absent_call *e);
/* Writes the empty list in the call's form. */
RESULT absent_write_list(struct absent_call *e, struct buf *body);
