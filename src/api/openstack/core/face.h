/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/core/: the face and its routes, as the protocol uses them. */
#pragma once

#include "api/core/dispatch.h"
#include "api/openstack/core/action.h"

enum { OS_ROUTES_MAX = 900 };

/* An action where paths lead to it. */
struct os_route {
	enum os_service service;
	size_t segment_count;
	struct api_entry entry;
};

struct openstack_face {
	struct api_face core;
	struct os_route routes[OS_ROUTES_MAX]; /* sorted by service and segments */
	size_t route_count;
};

static inline const struct openstack_face *os_face_of(const struct os_call *e)
{
	return (const struct openstack_face *) e->face;
}

/* The protocol's open: fills in the routes of all actions. */
bool os_sum_routes(struct api_face *core);
/* The first route that fits, whatever the body's verb; sets e->request.path. NULL: none, or (has_path) none with
 * this method. */
const struct os_route *os_find_route(struct os_call *e, bool *ret_has_path);
/* Chooses, among the actions on the route's path, the action that the body names. ERR_INVALID: no such action. */
RESULT os_choose_route(struct os_call *e, const struct os_route *first);
/* Describes the call for comparison with access rules of application credentials. */
struct token_use os_describe_use(const struct os_call *e);
/* Parses the body as JSON into e->body; NULL: no body. ERR_INVALID, ERR_TOO_LARGE. */
RESULT os_parse_body(struct os_call *e);
/* Reads Neutron's If-Match into e->revision. ERR_CONFLICT: the row has another revision; ERR_INVALID. */
RESULT os_read_revision(struct os_call *e);
/* The protocol's begin_change: checks the revision again. */
RESULT os_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred);
/* The protocol's prepare and end_request. */
RESULT os_prepare(struct api_call *core);
void os_end_request(struct api_call *core);
