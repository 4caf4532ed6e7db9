/* SPDX-License-Identifier: Apache-2.0
 * Launches instances: resolves what the call names (launch_resolve.c), checks quotas, which decide the number
 * (launch_count.c), then places each instance (launch_placement.c) and writes it with its disks and ports
 * (launch_write.c). Called by: api/ec2/compute/instances.c. The reconciler (reconcile/instance/instance.c) starts
 * them. */
#include "engine/instance/launch/launch_internal.h"

#include "engine/client_token_internal.h"
#include "engine/people/asker.h"
#include "model/account.h"
#include "model/client_token.h"
#include "store/instance.h"

/* Writes each instance before it places the next one, so that placement sees it. */
static RESULT write_all(struct launch *l, int64_t *ret_count)
{
	for (int64_t n = 0; n < l->count; n++) {
		const struct host *host = NULL;
		TRY(launch_choose_place(l, n, &host));
		if (!host && !l->waits_for && !l->wish->accept_unplaced) {
			*ret_count = n;
			return OK;
		}
		TRY(launch_write_instance(l, n, host));
	}
	*ret_count = l->count;
	return OK;
}

/* Returns what an earlier call with the token launched, as far as it still exists. */
static RESULT replay(struct op *op, struct instance_launch *wish, uuid reservation)
{
	VEC(uuid) ids = {0};
	bool any_lives = false;
	const struct instance *i = instance_first_by_reservation(op->head, reservation);
	for (; i; i = instance_next_by_reservation(op->head, i)) {
		any_lives = any_lives || row_is_live(&i->row);
		if (!VEC_PUSH(op->ctx->arena, &ids, i->row.id))
			return ctx_no_memory(op->ctx);
		TRY(op_name(op, KIND_INSTANCE, &i->row));
	}
	if (!any_lives)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_CLIENT_TOKEN,
				     "The instances of the previous request with this client token have been "
				     "terminated.");
	wish->reservation = reservation;
	wish->made = (struct uuids){ids.at, ids.count};
	wish->replayed = true;
	return OK;
}

static RESULT launch(struct launch *l, struct instance_launch *wish)
{
	struct op *op = l->op;
	int64_t count = 0;
	TRY(launch_resolve(l));
	l->is_resolved = true;
	TRY(launch_check_quotas(l));
	TRY(launch_check_addresses(l));
	struct placement_need need = launch_need_in(l, l->zone);
	TRY(placement_begin(op->ctx, op->head, &need, &l->placement));
	l->made = arena_new_array(op->ctx->arena, uuid, (size_t) l->count);
	if (!l->made)
		return ctx_no_memory(op->ctx);
	l->reservation = uuid_random();
	TRY(write_all(l, &count));
	TRY(client_token_write(op, l->account->row.id, wish->client_token, wish->digest, l->reservation));
	wish->reservation = l->reservation;
	wish->made = (struct uuids){l->made, (size_t) count};
	wish->replayed = false;
	return OK;
}

static RESULT create(struct op *op, struct instance_launch *wish, struct launch *l)
{
	const struct client_token *token = NULL;
	l->op = op;
	l->wish = wish;
	TRY(engine_find_acting_account(op, &l->account));
	TRY(client_token_find_fresh(op, l->account->row.id, wish->client_token, wish->digest, &token));
	return token ? replay(op, wish, token->made) : launch(l, wish);
}

RESULT engine_create_instances(struct op *op, struct instance_launch *wish)
{
	struct launch *l = arena_new_object(op->ctx->arena, struct launch);
	return l ? create(op, wish, l) : ctx_no_memory(op->ctx);
}

RESULT launch_on_trial(struct op *op, const struct instance_launch *given, struct later_guard *guard)
{
	struct op_place place = op_place_now(op);
	struct instance_launch wish = *given;
	struct launch *l = arena_new_object(op->ctx->arena, struct launch);
	if (!l)
		return ctx_no_memory(op->ctx);
	wish.min_count = wish.max_count = 1;
	wish.client_token = STR_NONE;
	struct result result = create(op, &wish, l);
	bool is_waited_for = l->is_resolved && (result.code == ERR_CAPACITY || result.code == ERR_QUOTA);
	if (!result_is_ok(result) && !is_waited_for)
		return result;
	/* Without room the rows are incomplete, and launch_resolve() has asked about everything that is planned. */
	if (result_is_ok(result) && guard)
		TRY(guard->check_made(op));
	ctx_clear_problem(op->ctx);
	op_go_back(op, place);
	return OK;
}
