/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/core/: the face and its routes, as the protocol uses them. */
#pragma once

#include "api/core/dispatch.h"
#include "api/openstack/core/action.h"

enum { OS_ROUTES_MAX = 720 };

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

/* As api_protocol.open: fills in the routes, of all actions. */
bool os_sum_routes(struct api_face *core);
/* The first route that fits, whatever the body's verb; sets e->request.path. NULL: none, or (has_path) none with
 * this method. */
const struct os_route *os_find_route(struct os_call *e, bool *ret_has_path);
/* Of the actions on the route's path the one whose verb the body says. ERR_INVALID: there is none. */
RESULT os_choose_route(struct os_call *e, const struct os_route *first);
/* How access rules of application credentials name the call. */
struct token_use os_describe_use(const struct os_call *e);
/* The body as JSON, into e->body; NULL: there is none. ERR_INVALID, ERR_TOO_LARGE. */
RESULT os_parse_body(struct os_call *e);
/* Neutron's If-Match, into e->revision. ERR_CONFLICT: the row has another one; ERR_INVALID. */
RESULT os_read_revision(struct os_call *e);
/* As api_protocol.begin_change: checks the revision again. */
RESULT os_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred);
/* As api_protocol.prepare and end_request. */
RESULT os_prepare(struct api_call *core);
void os_end_request(struct api_call *core);
