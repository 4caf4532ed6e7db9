/* SPDX-License-Identifier: Apache-2.0
 * The desk drivers' contract: what is asked of a support system that tickets are linked with. drivers/desk/ speaks Request
 * Tracker 5, TMF621, ServiceNow and webhooks.
 *
 * Rules. A driver decides nothing and remembers nothing. Every call may be repeated, also after a crash in the middle
 * of it: what makes something looks for it first, by its key, and then makes it. What is the desk's own (ids, times,
 * versions) is passed back as it came. A call blocks up to place->timeout_us for each request that it takes, on a thread
 * that nothing else needs. An answer has 64 KiB at most, lists and files apart.
 *
 * Errors: ERR_GONE, ERR_TIMEOUT, ERR_AGAIN: it does not answer, or not now (ret_wait_us of struct desk_place: not before
 * that); ERR_INVALID, ERR_DENIED, ERR_UNAUTHENTICATED, ERR_UNSUPPORTED, ERR_TOO_LARGE: it will refuse that again;
 * ERR_NOT_FOUND: it has no such. In words, which have up to 512 bytes of the desk's own. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"
#include "model/row.h"
#include "model/ticket_link.h"
#include "model/ticket_state.h"

/* Of which desk. */
struct desk_place {
	const char *noun; /* in words about it; NULL: desk */
	struct str name, url, queue, login;
	struct str secret;   /* never shown or logged */
	struct tags options; /* as its driver says */
	bool is_mirror;
	int64_t timeout_us; /* of one request */
	/* found: */
	int64_t wait_us; /* how long it wants to be left alone; 0: it does not say */
	int64_t now_us;  /* its clock; 0: it does not say */
};

/* The ticket, as it is to be there. */
struct desk_ticket {
	struct str id;     /* "t-…": the key that it is looked for by */
	struct str number; /* for people */
	struct str subject, body, author;
	struct str product, resources; /* in words */
	struct str account;            /* its owner's number; empty: the desk is not to know */
	struct str requestor;          /* an address of e-mail; empty: likewise */
	enum ticket_state state;
	enum ticket_link_severity severity;
};

/* What the desk calls it. */
struct desk_made {
	struct str id, number, url;
};

struct desk_message {
	uuid id; /* of the sending: the key that it is looked for by */
	struct str ticket, author, body;
};

struct desk_file {
	uuid id;
	struct str ticket, name, media_type, sha256;
	struct str content;
};

/* Something that the desk tells. origin: its id of it, the same whenever it is asked. */
struct desk_news {
	struct str origin, author, body;
	int64_t told_us;
	bool is_private; /* a note of its own people: never shown to anybody */
	struct str file_name, file_id;
	struct str content; /* with a file_name: what is in it, if it came along */
};

/* What the desk has of one ticket. */
struct desk_view {
	struct str state, version, read_to; /* in its own words */
	bool is_state_known;
	enum ticket_state means;
	bool has_severity;
	enum ticket_link_severity severity;
	const struct desk_news *news; /* without what Dari wrote, where the desk says who did */
	size_t news_count;
};

/* Which tickets have changed there. */
struct desk_changes {
	struct str cursor;
	struct strs ids; /* foreign ids */
	bool is_any;     /* it cannot say */
};

struct desk_driver {
	const char *name;
	/* Whether what a severity is crosses to it. */
	bool has_severity;
	int64_t file_max; /* bytes of a file that it takes; 0: none */
	/* What changed since the cursor; empty: from now on. */
	RESULT(*poll)
	(struct ctx *c, struct desk_place *place, struct str cursor, struct desk_changes *ret_changes);
	/* Finds it by its key, or makes it. */
	RESULT(*make)
	(struct ctx *c, struct desk_place *place, const struct desk_ticket *ticket,
	 struct desk_made *ret_made);
	/* Its state, and what was told since read_to. ERR_NOT_FOUND. */
	RESULT(*look)
	(struct ctx *c, struct desk_place *place, struct str id, struct str read_to,
	 struct desk_view *ret_view);
	/* Finds the message there, or adds it. ret_origin: the desk's id of it. */
	RESULT(*say)
	(struct ctx *c, struct desk_place *place, struct str id, const struct desk_message *message,
	 struct str *ret_origin);
	RESULT(*attach)
	(struct ctx *c, struct desk_place *place, struct str id, const struct desk_file *file,
	 struct str *ret_origin);
	/* The content of a file that it told of. */
	RESULT(*fetch)
	(struct ctx *c, struct desk_place *place, struct str id, struct str file_id, struct str *ret_content);
	/* Has it in that state, unless it is. */
	RESULT (*move)(struct ctx *c, struct desk_place *place, struct str id, enum ticket_state state);
	RESULT(*rate)
	(struct ctx *c, struct desk_place *place, struct str id, enum ticket_link_severity severity);
};

/* An option's value; empty: it is not said. */
struct str desk_option(const struct desk_place *place, const char *key);
/* The state that the desk's word means: by its options ("state.WORD": "held"), else by the table, which ends with a NULL. */
struct desk_word {
	const char *word;
	enum ticket_state means;
};
bool desk_read_state(const struct desk_place *place, const struct desk_word *words, struct str word,
		     enum ticket_state *ret_state);

extern const struct desk_driver desk_rt, desk_tmf621, desk_servicenow, desk_webhook;
