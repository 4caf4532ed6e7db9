/* SPDX-License-Identifier: Apache-2.0
 * Flow logs. */
#include "engine/network/flow_log.h"

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "model/client_token.h"
#include "store/flow_log.h"
#include "store/port.h"
#include "store/router.h"
#include "store/subnet.h"

/* ---- the subject ---- */

enum kind engine_flow_log_subject(const struct flow_log *log, uuid *ret_id)
{
	*ret_id = !uuid_is_none(log->router)   ? log->router
		  : !uuid_is_none(log->subnet) ? log->subnet
					       : log->port;
	return !uuid_is_none(log->router)   ? KIND_ROUTER
	       : !uuid_is_none(log->subnet) ? KIND_SUBNET
					    : KIND_PORT;
}

bool engine_flow_log_covers(const struct tables *t, const struct flow_log *log, const struct port *port)
{
	if (!uuid_is_none(log->port))
		return uuid_equal(log->port, port->row.id);
	if (!uuid_is_none(log->subnet))
		return uuid_equal(log->subnet, port->subnet);
	const struct subnet *subnet = subnet_find(t, port->subnet);
	return subnet && uuid_equal(log->router, subnet->router);
}

static const struct flow_log *first_of(const struct tables *t, enum kind kind, uuid id)
{
	return kind == KIND_ROUTER   ? flow_log_first_by_router(t, id)
	       : kind == KIND_SUBNET ? flow_log_first_by_subnet(t, id)
				     : flow_log_first_by_port(t, id);
}

static const struct flow_log *next_of(const struct tables *t, enum kind kind, const struct flow_log *log)
{
	return kind == KIND_ROUTER   ? flow_log_next_by_router(t, log)
	       : kind == KIND_SUBNET ? flow_log_next_by_subnet(t, log)
				     : flow_log_next_by_port(t, log);
}

/* ---- creation ---- */

static RESULT find_subject(struct op *op, const struct ref *ref, struct flow_log *log)
{
	const struct router *router = NULL;
	const struct subnet *subnet = NULL;
	const struct port *port = NULL;
	if (ref->kind == KIND_ROUTER) {
		TRY(engine_find_own_router(op->ctx, op->head, ref, &router));
		log->router = router->row.id;
		log->account = router->account;
		return engine_permit(op, "flow_log.create", KIND_ROUTER, &router->row);
	}
	if (ref->kind == KIND_SUBNET) {
		TRY(engine_find_own_subnet(op->ctx, op->head, ref, &subnet));
		log->subnet = subnet->row.id;
		log->account = subnet->account;
		return engine_permit(op, "flow_log.create", KIND_SUBNET, &subnet->row);
	}
	TRY(engine_find_own_port(op->ctx, op->head, ref, &port));
	log->port = port->row.id;
	log->account = port->account;
	return engine_permit(op, "flow_log.create", KIND_PORT, &port->row);
}

static RESULT check_others(struct op *op, const struct flow_log *log, const struct ref *ref)
{
	uuid id;
	enum kind kind = engine_flow_log_subject(log, &id);
	int count = 0;
	for (const struct flow_log *other = first_of(op->head, kind, id); other;
	     other = next_of(op->head, kind, other)) {
		if (other->traffic == log->traffic && str_equal(other->destination, log->destination))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_FLOW_LOG, ref->field,
					   "Error. There is an existing Flow Log with the same configuration "
					   "and log destination.");
		count++;
	}
	if (count >= FLOW_LOGS_OF_ONE)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_FLOW_LOG, ref->field,
				   "%" STR_FMT " has %d flow logs, as many as a resource may have.",
				   STR_ARG(engine_write_id(op, kind, id)), count);
	return OK;
}

static RESULT create_one(struct op *op, const struct flow_log_wish *wish, const struct ref *ref, uuid *ret_id)
{
	struct flow_log made = {.row = {.id = engine_new_id(op, KIND_FLOW_LOG), .gen = 1},
				.traffic = wish->traffic,
				.destination = wish->destination,
				.folder = wish->folder,
				.format = wish->format,
				.interval_s = wish->interval_s,
				.is_hourly = wish->is_hourly,
				.client_token = wish->client_token};
	uuid subject;
	*ret_id = made.row.id;
	TRY(find_subject(op, ref, &made));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, "flow_log.create", KIND_FLOW_LOG, &made.row));
	if (wish->is_unknown)
		return OK;
	TRY(limit_check(op, LIMIT_FLOW_LOGS, made.account, 1, STR_NONE));
	TRY(check_others(op, &made, ref));
	TRY(flow_log_put(op, &made));
	enum kind kind = engine_flow_log_subject(&made, &subject);
	return engine_log_event(op, KIND_FLOW_LOG, &made.row, "created", "Flow log of %" STR_FMT ".",
				STR_ARG(engine_write_id(op, kind, subject)));
}

/* Returns what still exists of the first request's logs: they have the token and its creation time. */
static RESULT replay(struct op *op, const struct client_token *token, uuid *ids, size_t max,
		     struct uuids *ret_made)
{
	size_t count = 0;
	for (const struct flow_log *log = flow_log_first_by_account(op->head, token->account); log;
	     log = flow_log_next_by_account(op->head, log))
		if (count < max && str_equal(log->client_token, token->token) &&
		    log->row.created_us == token->row.created_us)
			ids[count++] = log->row.id;
	*ret_made = (struct uuids){ids, count};
	return count ? OK : engine_fail_gone(op->ctx, KIND_FLOW_LOG, token->made);
}

RESULT engine_create_flow_logs(struct op *op, struct flow_log_wish *wish)
{
	uuid account = UUID_NONE;
	const struct client_token *token = NULL;
	size_t count = wish->resources.count;
	uuid *ids = arena_new_array(op->ctx->arena, uuid, count + 1);
	if (!ids)
		return ctx_no_memory(op->ctx);
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_fresh(op, account, wish->client_token, wish->digest, &token));
	if (token)
		return replay(op, token, ids, count, &wish->made);
	for (size_t k = 0; k < count; k++)
		TRY(create_one(op, wish, &wish->resources.at[k], &ids[k]));
	if (wish->is_unknown)
		return OK;
	wish->made = (struct uuids){ids, count};
	return client_token_write(op, account, wish->client_token, wish->digest, ids[0]);
}

/* ---- deletion ---- */

/* EC2's sentence about all ids that are absent. */
static RESULT fail_absent(struct op *op, const struct refs *logs)
{
	struct str names = STR_NONE;
	size_t count = 0;
	for (size_t k = 0; k < logs->count; k++) {
		const struct flow_log *log = NULL;
		struct result found = engine_find_own_flow_log(op->ctx, op->head, &logs->at[k], &log);
		if (result_is_ok(found))
			continue;
		ctx_clear_problem(op->ctx);
		names = str_print(op->ctx->arena, "%" STR_FMT " %" STR_FMT, STR_ARG(names),
				  STR_ARG(logs->at[k].text));
		count++;
	}
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_FLOW_LOG, STR("FlowLogId"),
			   "These flow log ids in the input list are not found: [TotalCount: %zu]%" STR_FMT,
			   count, STR_ARG(names));
}

RESULT engine_delete_flow_logs(struct op *op, struct flow_log_deletions *wish)
{
	for (size_t k = 0; k < wish->logs.count; k++) {
		const struct flow_log *log = NULL;
		struct result found = engine_find_own_flow_log(op->ctx, op->head, &wish->logs.at[k], &log);
		if (found.code == ERR_NOT_FOUND) {
			ctx_clear_problem(op->ctx);
			return fail_absent(op, &wish->logs);
		}
		TRY(found);
		TRY(engine_permit(op, "flow_log.delete", KIND_FLOW_LOG, &log->row));
		TRY(engine_log_event(op, KIND_FLOW_LOG, &log->row, "deleted", "Flow log."));
		TRY(flow_log_forget(op, log->row.id));
	}
	return OK;
}

/* ---- outcome ---- */

RESULT engine_see_flow_log(struct op *op, struct flow_log_report *wish)
{
	const struct flow_log *log = flow_log_find(op->head, wish->log);
	if (!log)
		return OK;
	struct flow_log next = *log;
	if (wish->delivered_us)
		next.delivered_us = wish->delivered_us;
	next.records += wish->records;
	next.skipped += wish->skipped;
	next.problem = wish->problem;
	if (wish->problem.n && !log->problem.n)
		TRY(engine_log_event(op, KIND_FLOW_LOG, &log->row, "delivery_failed", "%" STR_FMT,
				     STR_ARG(wish->problem)));
	if (!wish->problem.n && log->problem.n)
		TRY(engine_log_event(op, KIND_FLOW_LOG, &log->row, "delivered", "Files are written again."));
	return flow_log_put(op, &next);
}
