/* SPDX-License-Identifier: Apache-2.0
 * Private to api/tmf/: what a call's row is, and what a call carries. */
#pragma once

#include "api/core/dispatch.h"
#include "api/core/rest.h"
#include "api/tmf/tmf.h"
#include "base/json_write.h"
#include "engine/support/desk.h"
#include "engine/support/ticket_sync.h"

struct tmf_call {
	API_CALL_BASE;
	bool is_v5;
	struct pairs path, query;
	json_t *body; /* until prepare has ended */
	uuid desk;
	struct str desk_name;
};

struct tmf_action {
	REST_ACTION_BASE; /* path: behind the version, "troubleTicket/{id}" */
	RESULT (*prepare)(struct tmf_call *e, void *args);
	RESULT(*answer)
	(struct tmf_call *e, const void *args, struct json_writer *w); /* the whole document; NULL: 204 */
};

API_DEFINE_FACE(tmf)

extern const struct api_actions tmf_ticket_actions;
/* A variable of the path, a value of the query; empty: there is none of that name. */
struct str tmf_path_value(const struct tmf_call *e, const char *name);
/* Likewise. */
struct str tmf_query_value(const struct tmf_call *e, const char *name);

/* ---- document.c: what a desk says that has no place here ---- */

/* The text of the document with the call's body merged into it; empty: nothing is left. */
RESULT tmf_merge_document(struct tmf_call *e, struct str before, struct str *ret_document);
/* The caller's; NULL: out of memory. */
json_t *tmf_load_document(struct str document);
RESULT tmf_write_member(struct tmf_call *e, struct json_writer *w, const char *name, const json_t *value);
/* The call's body, a JSON patch, becomes the merge patch that does the same. */
RESULT tmf_take_json_patch(struct tmf_call *e);

/* ---- resource.c: a ticket as TMF621 has it ---- */

extern const char *const tmf_states[TICKET_STATES];
/* Its object; fields: names between commas, empty: all. */
RESULT tmf_write_ticket(struct tmf_call *e, struct json_writer *w, const struct support_ticket *ticket,
			struct str fields);
/* "12-3": rises with whatever a desk may see. */
struct str tmf_version(struct tmf_call *e, const struct support_ticket *ticket);
/* By TMF621's word, in any letter case. */
bool tmf_read_state(struct str word, enum ticket_state *ret_state);
/* "1 critical", "high", "minor", …: ours of a desk's word. */
bool tmf_read_severity(struct str word, enum support_ticket_severity *ret_severity);
/* The link of the caller's desk with it; NULL: it has none. */
const struct ticket_link *tmf_find_link(const struct tables *t, uuid ticket, uuid desk);
