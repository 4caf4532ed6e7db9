/* SPDX-License-Identifier: Apache-2.0
 * Private to api/tmf/: actions and calls of this face, and functions that its files share. */
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
	REST_ACTION_BASE; /* path: text after the version, "troubleTicket/{id}" */
	RESULT (*prepare)(struct tmf_call *e, void *args);
	RESULT(*answer)
	(struct tmf_call *e, const void *args, struct json_writer *w); /* the whole document; NULL: 204 */
};

API_DEFINE_FACE(tmf)

extern const struct api_actions tmf_ticket_actions;
/* Value of a variable of the path; empty: no such variable. */
struct str tmf_path_value(const struct tmf_call *e, const char *name);
/* Value of a parameter of the query; empty: no such parameter. */
struct str tmf_query_value(const struct tmf_call *e, const char *name);

/* ---- document.c: members that Dari does not model ---- */

/* Merges the call's body into the document, as text; empty: no members are left. */
RESULT tmf_merge_document(struct tmf_call *e, struct str before, struct str *ret_document);
/* Parses a document; the caller frees it. NULL: out of memory. */
json_t *tmf_load_document(struct str document);
RESULT tmf_write_member(struct tmf_call *e, struct json_writer *w, const char *name, const json_t *value);
/* Converts the call's body from a JSON patch to a merge patch of the same effect. */
RESULT tmf_take_json_patch(struct tmf_call *e);

/* ---- resource.c: TMF621's resource of a ticket ---- */

extern const char *const tmf_states[TICKET_STATES];
/* Writes the ticket's object. fields: names separated by commas; empty: all members. */
RESULT tmf_write_ticket(struct tmf_call *e, struct json_writer *w, const struct support_ticket *ticket,
			struct str fields);
/* Version of the ticket for ETag, "12-3": changes with each change that a desk may see. */
struct str tmf_version(struct tmf_call *e, const struct support_ticket *ticket);
/* Reads TMF621's word for a state, in any letter case. */
bool tmf_read_state(struct str word, enum ticket_state *ret_state);
/* Maps a desk's word ("1 critical", "high", "minor", …) to a severity of ours. */
bool tmf_read_severity(struct str word, enum support_ticket_severity *ret_severity);
/* Link between the ticket and the desk; NULL: not linked. */
const struct ticket_link *tmf_find_link(const struct tables *t, uuid ticket, uuid desk);
