/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: requests of WS-Management to WMI, signed in by NTLM or Basic. Enumerations are read to
 * their end within a limit of instances and of time. */
#pragma once

#include "base/buf.h"
#include "drivers/remote/http.h"
#include "drivers/remote/hyperv/wsman_answer.h"

#define HYPERV_SPACE "root/virtualization/v2"
#define WINDOWS_SPACE "root/cimv2"
#define CLUSTER_SPACE "root/MSCluster"

/* A call of the driver: several requests that share its time. */
struct wsman_link {
	struct ctx *c;
	struct remote *r;
	struct str url;
	int64_t end_us;  /* deadline by the steady clock */
	struct str zone; /* name of the server as the driver shows it */
};
/* Begins a call to a server: the endpoint's, or `host` in its place. host: empty, or another name with the same port. */
RESULT wsman_open(struct wsman_link *l, struct ctx *c, struct remote *r, struct str host);

/* Opens a session if there is none: finds out which scheme the server takes. */
RESULT wsman_sign_in(struct wsman_link *l);
/* Asks for the server's product. */
RESULT wsman_identify(struct wsman_link *l, struct str *ret_product);

/* Instances that a query of WQL finds. */
struct wsman_query {
	const char *space;
	struct str wql;
	size_t most; /* more are ERR_IO */
};
RESULT wsman_enumerate(struct wsman_link *l, const struct wsman_query *query,
		       const struct wsman_visitor *visitor);
/* The first instance that the query finds. *ret_is_found: there is one. */
RESULT wsman_find(struct wsman_link *l, const struct wsman_query *query, const char *const *wanted,
		  struct wsman_instance *ret_instance, bool *ret_is_found);

/* Selects an instance by its keys. */
struct wsman_key {
	const char *name;
	struct str text;
};
enum { WSMAN_KEYS_MAX = 4 };
struct wsman_object {
	const char *space, *class_name;
	struct wsman_key keys[WSMAN_KEYS_MAX]; /* the first without a name ends the list */
};

/* Call of a method, whose parameters are being written. */
struct wsman_call {
	struct wsman_link *link;
	const char *method;
	struct wsman_object object;
	struct buf body;
};
void wsman_begin(struct wsman_call *q, struct wsman_link *l, const char *method,
		 const struct wsman_object *object);
void wsman_put(struct wsman_call *q, const char *name, struct str text);
void wsman_put_int(struct wsman_call *q, const char *name, int64_t value);
/* A reference to an object. */
void wsman_put_object(struct wsman_call *q, const char *name, const struct wsman_object *object);
/* Sends the call, and frees it. */
RESULT wsman_invoke(struct wsman_call *q, const char *const *wanted, struct wsman_instance *ret_result);

/* A text of WQL in quotes, in the arena. */
struct str wsman_quote(struct ctx *c, struct str text);
