/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/azure/: requests to Azure Resource Manager, which azure.c sends; addresses.c, create.c and
 * snapshot.c are parts of the driver. */
#pragma once

#include "drivers/remote/azure/answer.h"

#define AZURE_COMPUTE_VERSION "api-version=2022-08-01"
#define AZURE_NETWORK_VERSION "api-version=2022-07-01"

/* Sends a request, signing in before if needed. *ret_answer is to be released. ERR_NOT_FOUND: ARM says that there is no
 * such resource. */
RESULT azure_ask(struct ctx *c, struct remote *r, const char *method, struct str url, struct str body,
		 struct remote_json *ret_answer);
/* The same; ret_answer->header is the address of an operation that began. */
RESULT azure_ask_location(struct ctx *c, struct remote *r, const char *method, struct str url,
			  struct str body, struct remote_json *ret_answer);
/* Adds the actions that no permission allows. A cloud that does not tell allows all. */
RESULT azure_find_lacks(struct ctx *c, struct remote *r, const char *const *wanted, size_t count,
			struct remote_identity *identity);
/* URL of a path that begins with "/subscriptions/". */
struct str azure_url_of(struct ctx *c, const struct remote *r, struct str path);
/* URL of a path in the subscription. */
struct str azure_url_in(struct ctx *c, const struct remote *r, const char *path);
/* Cursor of the page after the answer's: `what` and a link; empty: there is none. A link must lead to the same server. */
RESULT azure_next_of(struct ctx *c, const struct remote *r, const json_t *root, const char *what,
		     struct str *ret_cursor);

/* ---- addresses.c ---- */

/* Reads a page of public addresses, or of network interfaces, into the address map of r's connection. A provider without
 * that right has machines without addresses. *ret_count: entries of the page. */
RESULT azure_list_publics(struct ctx *c, struct remote *r, struct str link, size_t *ret_count,
			  struct str *ret_next);
RESULT azure_list_interfaces(struct ctx *c, struct remote *r, struct str link, size_t *ret_count,
			     struct str *ret_next);
/* Addresses of a machine, from the map. */
void azure_find_addresses(const struct remote *r, struct str ref, struct azure_addresses *addresses);
/* Asks for the addresses of one machine: a request for each interface, and for each of their public addresses. */
RESULT azure_ask_addresses(struct ctx *c, struct remote *r, const json_t *vm,
			   struct azure_addresses *addresses);

/* ---- snapshot.c ---- */

/* Makes a snapshot of each disk of the machine, which `vm` describes. A failure leaves the earlier ones. */
RESULT azure_snapshot(struct ctx *c, struct remote *r, const struct remote_act *act, const json_t *vm);

/* ---- source.c ---- */

extern const struct remote_source_ops azure_source_ops;

/* ---- create.c ---- */

/* create() of the driver: finds the machine by its name, or creates its interface and then the machine. */
RESULT azure_create(struct ctx *c, struct remote *r, const struct remote_new *wish,
		    struct remote_machine *ret_machine);
