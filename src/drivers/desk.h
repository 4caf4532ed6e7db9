/* SPDX-License-Identifier: Apache-2.0
 * The desk drivers' contract: calls to a support system that tickets are linked with. drivers/desk/ supports
 * Request Tracker 5, TMF621, ServiceNow and webhooks.
 *
 * Rules. A driver makes no decisions and has no memory. Every call may be repeated, also after a crash in the
 * middle: a call that creates something looks it up by its key first. The desk's own ids, times and versions
 * are passed back unchanged. Each request blocks for up to place->timeout_us, so run it on a thread nothing
 * else needs. Answers are limited to 64 KiB, except lists and files.
 *
 * Errors: ERR_GONE, ERR_TIMEOUT, ERR_AGAIN: no answer, or retry later (not before wait_us of struct
 * desk_place); ERR_INVALID, ERR_DENIED, ERR_UNAUTHENTICATED, ERR_UNSUPPORTED, ERR_TOO_LARGE: a retry would
 * fail again; ERR_NOT_FOUND: no such object. Messages contain up to 512 bytes of the desk's answer. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"
#include "model/row.h"
#include "model/ticket_link_words.h"
#include "model/ticket_state.h"

/* The desk to call. */
struct desk_place {
	const char *noun; /* for messages; NULL: desk */
	struct str name, url, queue, login;
	struct str secret;   /* never shown or logged */
	struct tags options; /* as its driver documents */
	bool is_mirror;
	int64_t timeout_us; /* per request */
	/* results: */
	int64_t wait_us; /* requested delay before the next call; 0: none */
	int64_t now_us;  /* its clock; 0: unknown */
};

/* The ticket to create. */
struct desk_ticket {
	struct str id;     /* "t-…": its lookup key */
	struct str number; /* shown to people */
	struct str subject, body, author;
	struct str product, resources; /* descriptions */
	struct str account;            /* its owner's number; empty: not disclosed */
	struct str requestor;          /* e-mail address; empty: not disclosed */
	enum ticket_state state;
	enum ticket_link_severity severity;
};

/* The desk's identifiers of the ticket. */
struct desk_made {
	struct str id, number, url;
};

struct desk_message {
	uuid id; /* of this delivery: its lookup key */
	struct str ticket, author, body;
};

struct desk_file {
	uuid id;
	struct str ticket, name, media_type, sha256;
	struct str content;
};

/* A message from the desk. origin: the desk's stable id of it. */
struct desk_news {
	struct str origin, author, body;
	int64_t told_us;
	bool is_private; /* an internal note: never shown to customers */
	struct str file_name, file_id;
	struct str content; /* of file_name, if included */
};

/* The desk's view of one ticket. */
struct desk_view {
	struct str state, version, read_to; /* in the desk's terms */
	bool is_state_known;
	enum ticket_state means;
	bool has_severity;
	enum ticket_link_severity severity;
	const struct desk_news *news; /* without Dari's own, if the desk reports authors */
	size_t news_count;
};

/* The tickets changed at the desk. */
struct desk_changes {
	struct str cursor;
	struct strs ids; /* the desk's ids */
	bool is_any;     /* it can't tell: any may have changed */
};

struct desk_driver {
	const char *name;
	/* True if the desk has a severity that can be set. */
	bool has_severity;
	int64_t file_max; /* maximum file size in bytes; 0: no files */
	/* Lists changes since the cursor; empty: only returns the current cursor. */
	RESULT(*poll)
	(struct ctx *c, struct desk_place *place, struct str cursor, struct desk_changes *ret_changes);
	/* Finds the ticket by its key, or creates it. */
	RESULT(*make)
	(struct ctx *c, struct desk_place *place, const struct desk_ticket *ticket,
	 struct desk_made *ret_made);
	/* Reads its state, and the messages since read_to. ERR_NOT_FOUND. */
	RESULT(*look)
	(struct ctx *c, struct desk_place *place, struct str id, struct str read_to,
	 struct desk_view *ret_view);
	/* Finds the message or adds it. ret_origin: the desk's id of it. */
	RESULT(*say)
	(struct ctx *c, struct desk_place *place, struct str id, const struct desk_message *message,
	 struct str *ret_origin);
	RESULT(*attach)
	(struct ctx *c, struct desk_place *place, struct str id, const struct desk_file *file,
	 struct str *ret_origin);
	/* Downloads a file reported by look(). */
	RESULT(*fetch)
	(struct ctx *c, struct desk_place *place, struct str id, struct str file_id, struct str *ret_content);
	/* Sets that state unless it is set already. */
	RESULT (*move)(struct ctx *c, struct desk_place *place, struct str id, enum ticket_state state);
	RESULT(*rate)
	(struct ctx *c, struct desk_place *place, struct str id, enum ticket_link_severity severity);
};

/* An option's value; empty: not set. */
struct str desk_option(const struct desk_place *place, const char *key);
/* Maps the desk's word to a state, by its options ("state.WORD": "held"), else by the table, which is
 * NULL-terminated. */
struct desk_word {
	const char *word;
	enum ticket_state means;
};
bool desk_read_state(const struct desk_place *place, const struct desk_word *words, struct str word,
		     enum ticket_state *ret_state);

extern const struct desk_driver desk_rt, desk_tmf621, desk_servicenow, desk_webhook;
