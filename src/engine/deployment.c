/* SPDX-License-Identifier: Apache-2.0
 * Rows of deployments. */
#include "engine/deployment.h"

#include "base/uuid.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/row_bytes.h"
#include "engine/tag_internal.h"
#include "store/deployment.h"
#include "store/deployment_operation.h"

const struct deployment *engine_find_deployment(const struct tables *t, struct arena *a, uuid account,
						struct str group, struct str name)
{
	const struct deployment probe = {
		.account = account, .group_key = str_lower(a, group), .name_key = str_lower(a, name)};
	return deployment_of(tables_first(t, KIND_DEPLOYMENT, DEPLOYMENT_INDEX_NAME, &probe.row, 3));
}

RESULT engine_forget_deployments(struct op *op, uuid account, struct str group_key)
{
	const struct deployment *d = deployment_first_by_account(op->head, account), *next;
	for (; d; d = next) {
		next = deployment_next_by_account(op->head, d);
		if (str_equal(d->group_key, group_key))
			TRY(deployment_forget(op, d->row.id));
	}
	return OK;
}

static RESULT fail_active(struct op *op, const struct deployment *d)
{
	char time[CLOCK_TEXT_SIZE];
	return ctx_fail_kind(op->ctx, ERR_STATE, KIND_DEPLOYMENT,
			     "Unable to edit or replace deployment '%" STR_FMT
			     "': previous deployment from '%s' is still active. Please see "
			     "https://aka.ms/arm-deploy for usage "
			     "details.",
			     STR_ARG(d->name), clock_write_s(d->row.created_us, time));
}

/* ---- create ---- */

/* At the limit, forgets the deployment that ended first. */
static RESULT make_room(struct op *op, uuid account)
{
	const struct deployment *oldest = NULL;
	size_t count = 0;
	for (const struct deployment *d = deployment_first_by_account(op->head, account); d;
	     d = deployment_next_by_account(op->head, d)) {
		count++;
		if (d->ended_us && (!oldest || d->ended_us < oldest->ended_us))
			oldest = d;
	}
	return oldest && count >= DEPLOYMENTS_MAX ? deployment_forget(op, oldest->row.id) : OK;
}

static RESULT write_operation(struct op *op, const struct deployment *d, int64_t place,
			      const struct deployment_step *step, struct deployment_operation *ret_row)
{
	if (place >= DEPLOYMENT_OPERATIONS_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_DEPLOYMENT_OPERATION,
				     "A deployment has at most %d operations.", DEPLOYMENT_OPERATIONS_MAX);
	*ret_row = (struct deployment_operation){
		.row = {.id = engine_new_id(op, KIND_DEPLOYMENT_OPERATION), .gen = 1},
		.account = d->account,
		.deployment = d->row.id,
		.place = place,
		.act = step->act,
		.target = step->target,
		.target_type = step->target_type,
		.target_name = step->target_name,
		.version = step->version,
		.state = step->is_left_out ? DEPLOYMENT_OPERATION_STATE_SKIPPED
					   : DEPLOYMENT_OPERATION_STATE_WAITING,
	};
	return OK;
}

RESULT engine_create_deployment(struct op *op, struct deployment_wish *wish)
{
	struct deployment row = wish->row;
	struct deployment_operation operation;
	row.account = engine_get_account(op->ctx);
	const struct deployment *before =
		engine_find_deployment(op->head, op->ctx->arena, row.account, row.resource_group, row.name);
	if (before && !before->ended_us)
		return fail_active(op, before);
	wish->is_new = !before;
	if (before)
		TRY(deployment_forget(op, before->row.id));
	TRY(make_room(op, row.account));
	TRY(limit_check(op, LIMIT_DEPLOYMENTS, row.account, 1, STR_NONE));
	row.group_key = str_lower(op->ctx->arena, row.resource_group);
	row.name_key = str_lower(op->ctx->arena, row.name);
	TRY(tag_normalize(op, wish->row.tags, &row.tags));
	TRY(engine_permit_new(op, "deployment.create", KIND_DEPLOYMENT, &row.row));
	row.row.gen = 1;
	TRY(deployment_put(op, &row));
	for (size_t k = 0; k < wish->step_count; k++) {
		TRY(write_operation(op, &row, (int64_t) k, &wish->steps[k], &operation));
		TRY(deployment_operation_put(op, &operation));
	}
	wish->deployment = row.row.id;
	return engine_log_event(op, KIND_DEPLOYMENT, &row.row, "created", "Deployment %" STR_FMT ".",
				STR_ARG(row.name));
}

/* ---- requests ---- */

static RESULT find(struct op *op, const struct deployment_target *wish, const char *permission,
		   const struct deployment **ret_row)
{
	const struct deployment *d = deployment_find(op->head, wish->deployment);
	if (!d || !uuid_equal(d->account, engine_get_account(op->ctx)))
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_DEPLOYMENT,
				     "The deployment could not be found.");
	*ret_row = d;
	return engine_permit(op, permission, KIND_DEPLOYMENT, &d->row);
}

RESULT engine_cancel_deployment(struct op *op, struct deployment_target *wish)
{
	const struct deployment *d = NULL;
	TRY(find(op, wish, "deployment.cancel", &d));
	if (d->ended_us)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_DEPLOYMENT,
				     "The deployment '%" STR_FMT "' cannot be cancelled: it is not running.",
				     STR_ARG(d->name));
	struct deployment row = *d;
	row.row.gen++;
	row.is_cancelled = true;
	return deployment_put(op, &row);
}

RESULT engine_delete_deployment(struct op *op, struct deployment_target *wish)
{
	const struct deployment *d = NULL;
	TRY(find(op, wish, "deployment.delete", &d));
	return d->ended_us ? deployment_forget(op, d->row.id) : fail_active(op, d);
}

/* ---- results ---- */

static const struct deployment_operation *find_operation(const struct tables *t, uuid deployment,
							 int64_t place)
{
	const struct deployment_operation *o = deployment_operation_first_by_deployment(t, deployment);
	while (o && o->place != place)
		o = deployment_operation_next_by_deployment(t, o);
	return o;
}

static RESULT note(struct op *op, const struct deployment *d, const struct deployment_news *news)
{
	const struct deployment_operation *before = find_operation(op->head, d->row.id, news->place);
	struct deployment_operation row;
	if (before)
		row = *before;
	else
		TRY(write_operation(op, d, news->place, &news->step, &row));
	bool has_ended = news->state == DEPLOYMENT_OPERATION_STATE_SUCCEEDED ||
			 news->state == DEPLOYMENT_OPERATION_STATE_FAILED;
	row.state = news->state;
	row.status = news->status;
	row.answer = news->answer;
	row.problem = news->problem;
	row.begun_us = row.begun_us ? row.begun_us : op->now_us;
	row.ended_us = has_ended ? op->now_us : 0;
	return deployment_operation_put(op, &row);
}

/* Removes the answers at the end, because they may contain secrets. */
static RESULT drop_answers(struct op *op, uuid deployment)
{
	const struct deployment_operation *o = deployment_operation_first_by_deployment(op->head, deployment),
					  *next;
	for (; o; o = next) {
		struct deployment_operation row = *o;
		next = deployment_operation_next_by_deployment(op->head, o);
		row.answer = STR_NONE;
		if (o->answer.n)
			TRY(deployment_operation_put(op, &row));
	}
	return OK;
}

RESULT engine_note_deployment(struct op *op, struct deployment_report *wish)
{
	const struct deployment *d = deployment_find(op->head, wish->deployment);
	if (!d || d->ended_us)
		return OK;
	for (size_t k = 0; k < wish->count; k++)
		TRY(note(op, d, &wish->news[k]));
	struct deployment row = *d;
	if (!row.begun_us && wish->count)
		row.begun_us = op->now_us;
	if (wish->ended != DEPLOYMENT_ENDED_NONE) {
		row.ended = wish->ended;
		row.ended_us = op->now_us;
		row.problem = wish->problem;
		row.outputs = wish->outputs;
		if (wish->outputs.n && row_bytes_is_full(op->head, d->account)) {
			row.ended = DEPLOYMENT_ENDED_FAILED;
			row.outputs = STR_NONE;
			row.problem = STR("{\"code\":\"QuotaExceeded\",\"message\":\"The subscription has "
					  "reached its limit of bytes "
					  "of memory: the outputs are not stored.\"}");
		}
		row.parameters = STR_NONE;
		TRY(drop_answers(op, d->row.id));
	}
	return row.begun_us == d->begun_us && !row.ended_us ? OK : deployment_put(op, &row);
}
