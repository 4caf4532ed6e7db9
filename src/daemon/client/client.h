/* SPDX-License-Identifier: Apache-2.0
 * The client's way to a server: /api/v1, over this machine's control socket, or by https from elsewhere. On its socket a
 * server takes whoever connects for the operator; elsewhere each request proves who asks. What comes from elsewhere is
 * bounded and believed as little as it must be. One thread. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

/* What proves who asks. All empty: nothing. */
struct client_proof {
	struct str key_id, secret, region; /* an access key signs each request, as one of that region */
	struct str token;                  /* of OpenStack's identity service */
	struct str cookie;                 /* "NAME=VALUE": a session of `dari login` */
};

struct client_place {
	struct str socket; /* of this machine's server; else empty, and: */
	struct str url;    /* "https://cloud.example.org", without a path */
	struct str
		host;  /* "cloud.example.org", with its port where it is another one than the scheme's own */
	struct str ca; /* file of the authorities that may vouch for it; empty: the system's */
	struct client_proof proof;
};

/* The server that the configuration names. ERR_GONE, ERR_INVALID …: it cannot be read. */
RESULT client_find_here(struct ctx *c, const char *config_path, struct client_place *ret_place);
/* Reads a URL; nobody is signed in there yet. ERR_INVALID: it is none, or its passwords would cross a wire in the open. */
RESULT client_read_url(struct ctx *c, struct str url, struct client_place *ret_place);

struct client_request {
	const char *method, *path; /* behind /api/v1 */
	const char *query;         /* with its names in order, as signatures want them; NULL: none */
	const json_t *body;        /* NULL: none */
};
/* One request. On success *ret_answer is an object, which the caller releases. A failure's words are whole sentences: what
 * went wrong, on a second line what to do. ERR_UNAUTHENTICATED, ERR_DENIED and so on as the server says, ERR_GONE: it is
 * not reached, ERR_IO: what answers is no server of Dari's. A session's new cookie is put into the place's proof. */
RESULT client_call(struct ctx *c, struct client_place *place, const struct client_request *request,
		   json_t **ret_answer);

/* ---- signin.c: who is signed in where ---- */

/* By the environment (DARI_ACCESS_KEY_ID …, DARI_TOKEN), else as `dari login` has written it. ERR_UNAUTHENTICATED: nobody. */
RESULT client_find_proof(struct ctx *c, struct client_place *place);
/* Writes down, for this user of this machine alone, what is good at the place; an empty proof forgets it. */
RESULT client_keep_proof(struct ctx *c, const struct client_place *place);

/* Text of a server's for a terminal: without what would steer it. */
struct str client_clean_text(struct arena *a, struct str text);
