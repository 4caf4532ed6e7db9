/* SPDX-License-Identifier: Apache-2.0
 * The client's connection to a server: /api/v1, over this machine's control socket or remotely by https. On
 * the socket the server treats every caller as the operator; remotely each request is authenticated. Remote
 * answers are limited in size and not trusted. One thread. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

/* Credentials. All empty: none. */
struct client_proof {
	struct str key_id, secret, region; /* an access key that signs requests, for this region */
	struct str token;                  /* from OpenStack's identity service */
	struct str cookie;                 /* "NAME=VALUE": a session of `dari login` */
};

struct client_place {
	struct str socket; /* this machine's server; otherwise empty, and: */
	struct str url;    /* "https://cloud.example.org", without a path */
	struct str host;   /* "cloud.example.org", with a port unless it is the default */
	struct str ca;     /* file with trusted CAs; empty: the system's */
	struct client_proof proof;
};

/* Finds the server in the configuration. ERR_GONE, ERR_INVALID …: unreadable. */
RESULT client_find_here(struct ctx *c, const char *config_path, struct client_place *ret_place);
/* Parses a URL, without credentials. ERR_INVALID: malformed, or passwords would be sent unencrypted. */
RESULT client_read_url(struct ctx *c, struct str url, struct client_place *ret_place);

struct client_request {
	const char *method, *path; /* after /api/v1 */
	const char *query;         /* sorted by name, as signatures require; NULL: none */
	const json_t *body;        /* NULL: none */
};
/* Makes a request. On success *ret_answer is an object, released by the caller. On failure the message is
 * complete sentences: the problem, and advice on a second line. ERR_UNAUTHENTICATED, ERR_DENIED etc. come
 * from the server; ERR_GONE: unreachable; ERR_IO: not a Dari server. A new session cookie is stored in the
 * place's proof. */
RESULT client_call(struct ctx *c, struct client_place *place, const struct client_request *request,
		   json_t **ret_answer);

/* ---- signin.c: who is signed in where ---- */

/* Finds credentials in the environment (DARI_ACCESS_KEY_ID …, DARI_TOKEN), else from `dari login`.
 * ERR_UNAUTHENTICATED: none. */
RESULT client_find_proof(struct ctx *c, struct client_place *place);
/* Stores the credentials for this user of this machine only; an empty proof deletes them. */
RESULT client_keep_proof(struct ctx *c, const struct client_place *place);

/* Removes terminal control characters from a server's text. */
struct str client_clean_text(struct arena *a, struct str text);
