/* SPDX-License-Identifier: Apache-2.0
 * Requests for spot instances, from their call to their end. Called by: api/ec2/compute/spot_requests.c and launches of
 * spot instances (instance_launch.c). The reconciler (reconcile/launch/spot_request.c) takes their turns. Marking: spot_room.c. */
#include "engine/instance/launch/spot_internal.h"

#include "engine/acting.h"
#include "engine/billing/standing.h"
#include "engine/client_token_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/launch/launch_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/asker.h"
#include "engine/tag_internal.h"
#include "engine/tombstone.h"
#include "model/states.h"
#include "store/account.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/spot_request.h"

enum { AGAIN_S = 60 /* between two looks for room */, PROBLEM_MAX = 255 };
#define TAKEN_BACK "Server.SpotInstanceTermination" /* reason codes of EC2 */
#define STOPPED "Server.SpotInstanceShutdown"

/* ---- requests ---- */

static RESULT put_status(struct op *op, const struct spot_request *before, enum spot_request_stage stage,
			 enum spot_request_status status)
{
	struct spot_request next = *before;
	if (next.stage == stage && next.status == status)
		return OK;
	next.stage = stage;
	next.status = status;
	next.status_us = op->now_us;
	return spot_request_put(op, &next);
}

static RESULT make_request(struct op *op, const struct spot_wish *wish, uuid account,
			   struct spot_request *ret_request)
{
	struct spot_request next = {.row.gen = 1,
				    .account = account,
				    .form = wish->form,
				    .from_launch = wish->from_launch,
				    .is_persistent = wish->is_persistent,
				    .stops = wish->stops,
				    .max_price = wish->max_price,
				    .valid_from_us = wish->valid_from_us,
				    .valid_until_us = wish->valid_until_us,
				    .stage = SPOT_REQUEST_STAGE_OPEN,
				    .status = SPOT_REQUEST_STATUS_PENDING_EVALUATION,
				    .status_us = op->now_us};
	TRY(limit_check(op, LIMIT_SPOT_REQUESTS, account, 1, STR_NONE));
	TRY(tag_normalize(op, wish->tags, &next.tags));
	next.row.id = engine_new_id(op, KIND_SPOT_REQUEST);
	ASKER_NOTE(op, &next);
	*ret_request = next;
	return OK;
}

RESULT spot_fulfil(struct op *op, const struct spot_wish *wish, struct instance *instance)
{
	const struct spot_request *before =
		uuid_is_none(wish->request) ? NULL : spot_request_find(op->head, wish->request);
	struct spot_request next;
	if (before)
		next = *before;
	else
		TRY(make_request(op, wish, instance->account, &next));
	next.instance = instance->row.id;
	next.zone = instance->zone;
	next.interrupt_us = 0;
	next.stage = SPOT_REQUEST_STAGE_ACTIVE;
	next.status = SPOT_REQUEST_STATUS_FULFILLED;
	next.status_us = op->now_us;
	next.problem = STR_NONE;
	instance->spot_request = next.row.id;
	return spot_request_put(op, &next);
}

/* ---- RequestSpotInstances ---- */

/* Launches for a request. No room: the request stays open. */
static RESULT launch(struct op *op, uuid request, const struct instance_launch *given)
{
	struct op_place place = op_place_now(op);
	struct instance_launch launch = *given;
	launch.spot.is_spot = true;
	launch.spot.request = request;
	launch.min_count = launch.max_count = 1;
	launch.client_token = STR_NONE;
	struct result result = engine_create_instances(op, &launch);
	if (result.code != ERR_CAPACITY)
		return result;
	op_go_back(op, place);
	ctx_clear_problem(op->ctx);
	return put_status(op, spot_request_find(op->head, request), SPOT_REQUEST_STAGE_OPEN,
			  SPOT_REQUEST_STATUS_CAPACITY_NOT_AVAILABLE);
}

/* Checks a request that becomes valid later. */
static RESULT try_launch(struct op *op, uuid request, const struct spot_requesting *wish)
{
	struct instance_launch launch = wish->launch;
	launch.spot.is_spot = true;
	launch.spot.request = request;
	return launch_on_trial(op, &launch, wish->guard);
}

static RESULT request_one(struct op *op, struct spot_requesting *wish, uuid account, bool is_first,
			  uuid *ret_id)
{
	const struct spot_wish *terms = &wish->launch.spot;
	struct spot_request request;
	TRY(make_request(op, terms, account, &request));
	TRY(engine_permit_new(op, "spot_instance.request", KIND_SPOT_REQUEST, &request.row));
	request.client_token = wish->client_token;
	bool is_early = request.valid_from_us > op->now_us;
	if (is_early)
		request.status = SPOT_REQUEST_STATUS_NOT_SCHEDULED_YET;
	*ret_id = request.row.id;
	TRY(spot_request_put(op, &request));
	if (!is_early)
		return launch(op, request.row.id, &wish->launch);
	return is_first ? try_launch(op, request.row.id, wish) : OK;
}

/* Returns the requests that an earlier call with the token made. */
static RESULT replay(struct op *op, struct spot_requesting *wish, uuid account)
{
	VEC(uuid) ids = {0};
	for (const struct spot_request *r = spot_request_first_by_account(op->head, account); r;
	     r = spot_request_next_by_account(op->head, r)) {
		if (!str_equal(r->client_token, wish->client_token))
			continue;
		if (!VEC_PUSH(op->ctx->arena, &ids, r->row.id))
			return ctx_no_memory(op->ctx);
		TRY(op_name(op, KIND_SPOT_REQUEST, &r->row));
	}
	wish->made = (struct uuids){ids.at, ids.count};
	return OK;
}

RESULT engine_request_spot(struct op *op, struct spot_requesting *wish)
{
	uuid account = UUID_NONE;
	uuid made = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_SPOT_REQUEST, &made));
	if (!uuid_is_none(made))
		return replay(op, wish, account);
	uuid *ids = arena_new_array(op->ctx->arena, uuid, (size_t) wish->count + 1);
	if (!ids)
		return ctx_no_memory(op->ctx);
	for (int64_t n = 0; n < wish->count; n++)
		TRY(request_one(op, wish, account, n == 0, &ids[n]));
	wish->made = (struct uuids){ids, (size_t) wish->count};
	return client_token_write(op, account, wish->client_token, wish->digest, ids[0]);
}

/* ---- ends ---- */

static RESULT leave(struct op *op, uuid id)
{
	const struct spot_request *r = spot_request_find(op->head, id);
	TRY(engine_log_event(op, KIND_SPOT_REQUEST, &r->row, "ended", "%s.",
			     spot_request_status_words[r->status]));
	return tombstone_leave(op, KIND_SPOT_REQUEST, &r->row, SPOT_REQUEST_INDEX_ACCOUNT);
}

static bool is_marked(const struct spot_request *r)
{
	return r->status == SPOT_REQUEST_STATUS_MARKED_FOR_TERMINATION ||
	       r->status == SPOT_REQUEST_STATUS_MARKED_FOR_STOP;
}

/* EC2 lets running instances be, and terminates those that an interruption has stopped: "If you cancel a Spot Instance
 * request, an EC2 Fleet, or a Spot Fleet, Amazon EC2 terminates any associated Spot Instances that are stopped" (EC2 user
 * guide, "Behavior of Spot Instance interruptions"). What its user has stopped stays, for that page is about
 * interruptions alone. */
static RESULT cancel(struct op *op, const struct spot_request *r)
{
	const struct instance *i = instance_find(op->head, r->instance);
	bool lives = i && row_is_live(&i->row), is_taken = lives && r->stage == SPOT_REQUEST_STAGE_OPEN;
	struct spot_request next = *r;
	if (!row_is_live(&r->row) || r->is_cancelled)
		return OK;
	next.is_cancelled = true;
	next.stage = SPOT_REQUEST_STAGE_CANCELLED;
	if (!lives)
		next.status = SPOT_REQUEST_STATUS_CANCELED_BEFORE_FULFILLMENT;
	else if (!is_marked(r)) /* a notice is not withdrawn */
		next.status = SPOT_REQUEST_STATUS_REQUEST_CANCELED_AND_INSTANCE_RUNNING;
	next.status_us = op->now_us;
	TRY(spot_request_put(op, &next));
	if (is_taken)
		TRY(instance_write_terminate(op, i, TAKEN_BACK, TAKEN_BACK ": Spot Instance termination"));
	return lives ? OK : leave(op, next.row.id);
}

RESULT engine_cancel_spot(struct op *op, struct spot_cancelling *wish)
{
	uuid *ids = arena_new_array(op->ctx->arena, uuid, wish->requests.count + 1);
	wish->stages = arena_new_array(op->ctx->arena, int, wish->requests.count + 1);
	if (!ids || !wish->stages)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->requests.count; k++) {
		const struct row *row = NULL;
		TRY(engine_find_listed(op->ctx, op->head, KIND_SPOT_REQUEST, &wish->requests.at[k], &row));
		TRY(engine_permit(op, "spot_instance.cancel", KIND_SPOT_REQUEST, row));
		ids[k] = row->id;
		TRY(op_name(op, KIND_SPOT_REQUEST, row));
		bool ends = row_is_live(row);
		wish->stages[k] = ends ? SPOT_REQUEST_STAGE_CANCELLED : (int) spot_request_of(row)->stage;
		TRY(cancel(op, spot_request_of(row)));
	}
	wish->ids = (struct uuids){ids, wish->requests.count};
	return OK;
}

/* ---- turns ---- */

static enum spot_turn turn_of_instance(const struct spot_request *r, const struct instance *i, int64_t now_us,
				       int64_t *ret_due_us)
{
	bool is_on = i->wanted_power == INSTANCE_WANTED_POWER_ON;
	if (r->interrupt_us > now_us) {
		*ret_due_us = r->interrupt_us;
		return SPOT_WAIT;
	}
	if (r->interrupt_us && (is_on || is_marked(r)))
		return SPOT_TAKE_BACK;
	if (r->interrupt_us && !i->gave_room)
		return i->seen_power == INSTANCE_SEEN_POWER_ON ? SPOT_WAIT : SPOT_GIVE_ROOM;
	if (i->gave_room)
		return r->stage == SPOT_REQUEST_STAGE_OPEN ? SPOT_RESTART : SPOT_WAIT;
	bool is_noted = is_on == (r->stage == SPOT_REQUEST_STAGE_ACTIVE);
	return is_noted || r->is_cancelled ? SPOT_WAIT : SPOT_NOTE;
}

static enum spot_turn turn_without(const struct spot_request *r, int64_t now_us, int64_t *ret_due_us)
{
	if (r->is_cancelled || str_is_empty(r->form) || r->stage != SPOT_REQUEST_STAGE_OPEN)
		return SPOT_WAIT;
	if (r->valid_until_us && now_us >= r->valid_until_us)
		return SPOT_EXPIRE;
	*ret_due_us = r->valid_until_us ? r->valid_until_us : INT64_MAX;
	if (now_us >= r->valid_from_us)
		return SPOT_LAUNCH;
	*ret_due_us = r->valid_from_us;
	return SPOT_WAIT;
}

enum spot_turn engine_find_spot_turn(const struct tables *t, const struct spot_request *r, int64_t now_us,
				     int64_t *ret_due_us)
{
	const struct instance *i = uuid_is_none(r->instance) ? NULL : instance_find(t, r->instance);
	bool is_over = !i || model_derive_instance_state(i) == INSTANCE_TERMINATED;
	*ret_due_us = INT64_MAX;
	if (!row_is_live(&r->row))
		return SPOT_WAIT;
	if (i && row_is_live(&i->row)) {
		enum spot_turn turn = turn_of_instance(r, i, now_us, ret_due_us);
		if (turn == SPOT_RESTART)
			*ret_due_us = now_us + AGAIN_S * SECOND;
		return turn;
	}
	bool has_ended = !uuid_is_none(r->instance) && r->stage != SPOT_REQUEST_STAGE_OPEN;
	if (has_ended) /* a persistent one waits until its instance's room is free */
		return is_over || !r->is_persistent || r->is_cancelled ? SPOT_END : SPOT_WAIT;
	enum spot_turn turn = turn_without(r, now_us, ret_due_us);
	if (turn == SPOT_LAUNCH && *ret_due_us > now_us + AGAIN_S * SECOND)
		*ret_due_us = now_us + AGAIN_S * SECOND;
	return turn;
}

/* ---- taking turns ---- */

/* An instance that its user stopped gives its room, and stays as it is. */
static RESULT take_back(struct op *op, const struct spot_request *r)
{
	struct instance next = *instance_find(op->head, r->instance);
	if (r->stops && next.wanted_power != INSTANCE_WANTED_POWER_ON)
		return put_status(
			op, r, r->is_cancelled ? SPOT_REQUEST_STAGE_CANCELLED : SPOT_REQUEST_STAGE_DISABLED,
			SPOT_REQUEST_STATUS_INSTANCE_STOPPED_BY_USER);
	if (!r->stops || r->is_cancelled) {
		TRY(put_status(op, r, r->stage, SPOT_REQUEST_STATUS_INSTANCE_TERMINATED_NO_CAPACITY));
		return instance_write_terminate(op, &next, TAKEN_BACK,
						TAKEN_BACK ": Spot Instance termination");
	}
	next.wanted_power = INSTANCE_WANTED_POWER_OFF;
	next.wanted_save = next.wanted_pause = next.force_off = next.error_override = false;
	next.off_since_us = op->now_us;
	next.reason_code = STR(STOPPED);
	next.reason_text = STR(STOPPED ": Spot Instance shutdown");
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(put_status(op, r, SPOT_REQUEST_STAGE_OPEN, SPOT_REQUEST_STATUS_INSTANCE_STOPPED_NO_CAPACITY));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "stop asked",
				"Its room is taken back: its request is a spot one.");
}

static RESULT give_room(struct op *op, const struct spot_request *r)
{
	struct instance next = *instance_find(op->head, r->instance);
	struct spot_request request = *r;
	next.gave_room = true;
	request.interrupt_us = 0;
	TRY(instance_put(op, &next));
	return spot_request_put(op, &request);
}

static bool has_room(const struct op *op, const struct instance *instance)
{
	const struct host *host = host_find(op->head, instance->host);
	const struct placement_need need = {.vcpus = instance->vcpus, .memory = instance->memory};
	return host && row_is_live(&host->row) && placement_check_room(host, &need) == PLACEMENT_FITS;
}

RESULT spot_take_room(struct op *op, struct instance *next)
{
	if (!next->gave_room || uuid_is_none(next->host) || has_room(op, next)) {
		next->gave_room = false;
		return OK;
	}
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_INSTANCE,
			     "The host of the Spot Instance has no room for it now.");
}

/* True if the account may start instances by itself, too. */
static bool may_start(const struct op *op, uuid id)
{
	const struct account *account = account_find(op->head, id);
	return engine_is_account_open(op->head, account) && !account->is_quarantined &&
	       standing_of(op->head, account) < DOMAIN_BILL_STATE_LIMITED;
}

static RESULT restart(struct op *op, const struct spot_request *r)
{
	struct instance next = *instance_find(op->head, r->instance);
	if (uuid_is_none(next.host) || next.destroyed_us || !may_start(op, r->account) ||
	    !has_room(op, &next))
		return OK;
	next.row.gen++;
	TRY(instance_turn_on(op, &next));
	TRY(instance_put(op, &next));
	TRY(put_status(op, r, SPOT_REQUEST_STAGE_ACTIVE, SPOT_REQUEST_STATUS_FULFILLED));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "start asked", "There is room for it again.");
}

static RESULT note_power(struct op *op, const struct spot_request *r)
{
	const struct instance *i = instance_find(op->head, r->instance);
	bool is_on = i->wanted_power == INSTANCE_WANTED_POWER_ON;
	return put_status(op, r, is_on ? SPOT_REQUEST_STAGE_ACTIVE : SPOT_REQUEST_STAGE_DISABLED,
			  is_on ? SPOT_REQUEST_STATUS_FULFILLED
				: SPOT_REQUEST_STATUS_INSTANCE_STOPPED_BY_USER);
}

static RESULT end(struct op *op, const struct spot_request *r)
{
	bool was_taken = r->status == SPOT_REQUEST_STATUS_INSTANCE_TERMINATED_NO_CAPACITY;
	enum spot_request_status why = was_taken ? SPOT_REQUEST_STATUS_INSTANCE_TERMINATED_NO_CAPACITY
						 : SPOT_REQUEST_STATUS_INSTANCE_TERMINATED_BY_USER;
	bool goes_on = r->is_persistent && !r->is_cancelled &&
		       (!r->valid_until_us || op->now_us < r->valid_until_us);
	enum spot_request_stage stage = goes_on           ? SPOT_REQUEST_STAGE_OPEN
					: r->is_cancelled ? SPOT_REQUEST_STAGE_CANCELLED
							  : SPOT_REQUEST_STAGE_CLOSED;
	struct spot_request next = *r;
	next.interrupt_us = goes_on ? 0 : r->interrupt_us;
	TRY(spot_request_put(op, &next));
	TRY(put_status(op, &next, stage, why));
	return goes_on ? OK : leave(op, r->row.id);
}

static RESULT expire(struct op *op, const struct spot_request *r)
{
	TRY(put_status(op, r, SPOT_REQUEST_STAGE_CANCELLED, SPOT_REQUEST_STATUS_SCHEDULE_EXPIRED));
	return leave(op, r->row.id);
}

/* A refusal that repeats itself ends the request. */
static RESULT fail(struct op *op, const struct spot_request *r, struct str problem)
{
	struct spot_request next = *r;
	next.problem = str_cut(problem, PROBLEM_MAX);
	TRY(put_status(op, &next, SPOT_REQUEST_STAGE_FAILED, SPOT_REQUEST_STATUS_BAD_PARAMETERS));
	return leave(op, r->row.id);
}

const char *engine_get_spot_permission(const struct spot_request *r)
{
	return r->from_launch ? "instance.create" : "spot_instance.request";
}

struct later_spot {
	uuid request;
	const struct instance_launch *launch;
};

static RESULT launch_later_spot(struct op *op, void *arg)
{
	const struct later_spot *later = arg;
	return launch(op, later->request, later->launch);
}

static RESULT launch_as_asker(struct op *op, const struct spot_request *r, const struct spot_following *wish)
{
	const struct asker asker = ASKER_OF(r);
	const struct asker_work work = {wish->guard, engine_get_spot_permission(r), op->now_us};
	struct later_spot later = {r->row.id, wish->launch};
	return asker_run(op, &asker, &work, launch_later_spot, &later);
}

/* Quotas are waited for, as room is. */
static RESULT launch_later(struct op *op, const struct spot_request *r, const struct spot_following *wish)
{
	struct op_place place = op_place_now(op);
	if (!wish->launch)
		return wish->problem.n ? fail(op, r, wish->problem) : OK;
	struct result result = launch_as_asker(op, r, wish);
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	struct str problem = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	if (result.code == ERR_QUOTA)
		return put_status(op, spot_request_find(op->head, wish->request), SPOT_REQUEST_STAGE_OPEN,
				  SPOT_REQUEST_STATUS_CONSTRAINT_NOT_FULFILLABLE);
	return fail(op, spot_request_find(op->head, wish->request), problem);
}

RESULT engine_follow_spot(struct op *op, struct spot_following *wish)
{
	const struct spot_request *r = spot_request_find(op->head, wish->request);
	int64_t due_us = 0;
	if (!r)
		return OK;
	switch (engine_find_spot_turn(op->head, r, op->now_us, &due_us)) {
	case SPOT_WAIT:
		return OK;
	case SPOT_EXPIRE:
		return expire(op, r);
	case SPOT_LAUNCH:
		return launch_later(op, r, wish);
	case SPOT_NOTE:
		return note_power(op, r);
	case SPOT_TAKE_BACK:
		return take_back(op, r);
	case SPOT_GIVE_ROOM:
		return give_room(op, r);
	case SPOT_RESTART:
		return restart(op, r);
	case SPOT_END:
		return end(op, r);
	}
	return FAIL(INTERNAL);
}

/* ---- stop and start by users ---- */

static const struct spot_request *find_request_of(const struct op *op, const struct instance *i)
{
	return uuid_is_none(i->spot_request) ? NULL : spot_request_find(op->head, i->spot_request);
}

RESULT spot_check_stop(struct op *op, const struct instance *instance, const struct ref *ref)
{
	const struct spot_request *r = find_request_of(op, instance);
	if (!r || r->is_persistent)
		return OK;
	return ENGINE_FAIL(
		op, ERR_UNSUPPORTED, KIND_INSTANCE, ref->field,
		"You can't stop the Spot Instance '%" STR_FMT
		"' because it is associated with a one-time Spot Instance request. You can only stop Spot "
		"Instances associated with persistent Spot Instance requests.",
		STR_ARG(ref->text));
}

RESULT spot_check_start(struct op *op, const struct instance *instance, const struct ref *ref)
{
	const struct spot_request *r = find_request_of(op, instance);
	if (!r || r->stage != SPOT_REQUEST_STAGE_OPEN || !uuid_equal(r->instance, instance->row.id))
		return OK;
	return ENGINE_FAIL(
		op, ERR_STATE, KIND_SPOT_REQUEST, ref->field,
		"You can't start the Spot Instance '%" STR_FMT
		"' because the associated Spot Instance request is not in an appropriate state to support "
		"start.",
		STR_ARG(ref->text));
}
