/* SPDX-License-Identifier: Apache-2.0
 * Reads stored launches of spot requests, fleets and scaling groups again, on behalf of the users who requested
 * them. The stored form has EC2's parameters, which only this face can read. Runs on the reconciler's threads. */
#include "api/ec2/compute/later_launch.h"

#include "api/core/face.h"
#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/spot_requests.h"
#include "api/ec2/core/errors.h"
#include "engine/instance/launch/fleet.h"
#include "engine/instance/launch/spot.h"
#include "engine/people/asker.h"
#include "engine/scaling/scaling.h"
#include "model/fleet.h"
#include "model/spot_request.h"

/* A call that nobody sent: what reading of parameters needs of one. */
struct later_call {
	struct api_config config;
	struct ec2_call e;
};

static RESULT make_call(struct ctx *c, struct store *store, struct later_call **ret_call)
{
	struct later_call *call = arena_new_object(c->arena, struct later_call);
	if (!call)
		return ctx_no_memory(c);
	call->config.store = store;
	call->e.c = c;
	call->e.config = &call->config;
	call->e.protocol = &ec2_protocol;
	call->e.errors = ec2_protocol.errors;
	*ret_call = call;
	return OK;
}

static RESULT begin(struct ctx *c, const struct later_launch *later, struct later_call **ret_call)
{
	TRY(make_call(c, later->store, ret_call));
	view_open(later->store, &(*ret_call)->e.view);
	return OK;
}

RESULT ec2_read_later_spot(struct ctx *c, const struct later_launch *later,
			   const struct spot_request *request, struct instance_launch *ret_launch)
{
	struct later_call *call = NULL;
	const struct asker asker = ASKER_OF(request);
	const struct asker_work work = {later->guard, engine_get_spot_permission(request), clock_now_us()};
	const struct identity *who = c->who;
	struct guard *guard = c->guard;
	TRY(begin(c, later, &call));
	struct result result = asker_act(c, call->e.view.tables, &asker, &work);
	if (result_is_ok(result))
		result = ec2_read_spot_form(&call->e, request->form, ret_launch);
	view_close(&call->e.view);
	c->who = who;
	c->guard = guard;
	return result;
}

RESULT ec2_read_later_fleet(struct ctx *c, const struct later_launch *later, const struct fleet *fleet,
			    struct fleet_override **ret_overrides, size_t *ret_count)
{
	struct later_call *call = NULL;
	const struct asker asker = ASKER_OF(fleet);
	const struct asker_work work = {later->guard, engine_get_fleet_permission(fleet->row.id),
					clock_now_us()};
	const struct identity *who = c->who;
	struct guard *guard = c->guard;
	TRY(begin(c, later, &call));
	struct result result = asker_act(c, call->e.view.tables, &asker, &work);
	if (result_is_ok(result))
		result = ec2_read_fleet_overrides(&call->e, fleet, ret_overrides, ret_count);
	view_close(&call->e.view);
	c->who = who;
	c->guard = guard;
	return result;
}

RESULT ec2_read_later_scaling(struct ctx *c, const struct later_launch *later,
			      const struct scaling_group *group, struct fleet_override **ret_launches,
			      size_t *ret_count)
{
	struct later_call *call = NULL;
	const struct asker asker = ASKER_OF(group);
	const struct asker_work work = {later->guard, "instance.create", clock_now_us()};
	const struct scaling_source source = engine_get_scaling_source(group);
	const struct identity *who = c->who;
	struct guard *guard = c->guard;
	TRY(begin(c, later, &call));
	struct result result = asker_act(c, call->e.view.tables, &asker, &work);
	if (result_is_ok(result))
		result = ec2_read_scaling_launches(&call->e, &source, ret_launches, ret_count);
	for (size_t k = 0; result_is_ok(result) && k < *ret_count; k++)
		result = ec2_add_scaling_tags(&call->e, group, &(*ret_launches)[k].launch);
	view_close(&call->e.view);
	c->who = who;
	c->guard = guard;
	return result;
}

/* The view stays the caller's, who closes it. */
RESULT ec2_read_scaling_source(struct ctx *c, const struct view *view, const struct scaling_source *source,
			       struct fleet_override **ret_launches, size_t *ret_count)
{
	struct later_call *call = NULL;
	TRY(make_call(c, view->store, &call));
	call->e.view = *view;
	return ec2_read_scaling_launches(&call->e, source, ret_launches, ret_count);
}
