/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's API: signed calls of /client/api, answered in JSON. Source: Apache CloudStack's developer guide
 * and API reference, 4.18. */
#pragma once

#include "http/server.h"
#include "store/store.h"

struct cloudstack_face;
struct guards;
struct limits;
struct uses;

struct cloudstack_config {
	struct store *store;
	struct guards *guards;
	struct limits *limits;     /* how often a caller may ask; NULL: as often as they like */
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes, which open the secrets of access keys */
	struct uses *uses;         /* where uses of keys are noted; NULL: nowhere */
};

/* What the config points at must live as long as the face. ERR_NO_MEMORY. */
RESULT cloudstack_new(struct ctx *c, const struct cloudstack_config *config,
		      struct cloudstack_face **ret_face);
void cloudstack_free(struct cloudstack_face *face); /* after its listeners are gone; NULL: nothing */

/* Whether a path is CloudStack's: the listener is shared with other faces. */
bool cloudstack_has_path(struct str path);

/* For http_listen(), with the face as self. */
extern const struct http_face cloudstack_http_face;
