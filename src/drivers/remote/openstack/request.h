/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/openstack/: requests to services of the catalog, which openstack.c sends. */
#pragma once

#include "drivers/remote/json.h"

/* Besides enum remote_service. */
enum { OPENSTACK_NOVA = -1 };

/* Sends a request to a service (enum remote_service), signing in before if needed. *ret_answer is to be released. The
 * answer of Gnocchi may be a list. */
RESULT openstack_ask(struct ctx *c, struct remote *r, int service, const char *method, struct str path,
		     struct str body, struct remote_json *ret_answer);
/* Uploads data to Glance. */
RESULT openstack_upload(struct ctx *c, struct remote *r, struct str path, const struct remote_upload *upload,
			struct remote_json *ret_answer);
/* Downloads data from Glance. */
RESULT openstack_download(struct ctx *c, struct remote *r, struct str path,
			  const struct remote_body_taker *taker);
/* Sends a request that the cloud refuses for its content, and adds the policy if it is refused for a missing right
 * instead. */
RESULT openstack_try_right(struct ctx *c, struct remote *r, int service, const char *method, struct str path,
			   struct str body, const char *policy, struct remote_identity *identity);
/* Finds the server that was created with the name and the token. */
RESULT openstack_find_created(struct ctx *c, struct remote *r, struct str name, uuid token,
			      bool *ret_is_found, struct remote_machine *ret_machine);
