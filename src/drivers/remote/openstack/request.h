/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/openstack/: requests to services of the catalog, which openstack.c sends. */
#pragma once

#include "drivers/remote/json.h"

/* Sends a request to a service (enum remote_service), signing in before if needed. *ret_answer is to be released. The
 * answer of Gnocchi may be a list. */
RESULT openstack_ask(struct ctx *c, struct remote *r, int service, const char *method, struct str path,
		     struct str body, struct remote_json *ret_answer);
