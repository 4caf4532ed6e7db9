/* SPDX-License-Identifier: Apache-2.0
 * Conditions. They have rows of their own, so that setting one does not change the subject. */
#include "engine/condition.h"

#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "store/condition.h"

enum { REFUSAL_MAX = 1000 }; /* bytes of a refusal's sentence */

RESULT condition_take_refusal(struct op *op, struct op_place place, struct result result, enum kind kind,
			      uuid id, struct refusals *refusals)
{
	if (!engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	if (!refusals->count++)
		refusals->first = str_print(op->ctx->arena, "%" STR_FMT ": %" STR_FMT,
					    STR_ARG(engine_write_id(op, kind, id)),
					    STR_ARG(str_cut(op->ctx->problem.message, REFUSAL_MAX)));
	ctx_clear_problem(op->ctx);
	return OK;
}

RESULT condition_set(struct op *op, enum kind kind, uuid subject, const char *name, struct str message,
		     const char *advice)
{
	struct condition_wish wish = {.kind = kind,
				      .subject = subject,
				      .name = str_from(name),
				      .message = message,
				      .advice = str_from(advice)};
	return engine_set_condition(op, &wish);
}

RESULT condition_clear(struct op *op, uuid subject, struct str name)
{
	const struct condition *condition = condition_find_by_subject(op->head, subject, name);
	return condition ? condition_forget(op, condition->row.id) : OK;
}

RESULT condition_clear_all(struct op *op, uuid subject)
{
	const struct condition *condition = condition_first_by_subject(op->head, subject), *next = NULL;
	for (; condition; condition = next) {
		next = condition_next_by_subject(op->head, condition);
		TRY(condition_forget(op, condition->row.id));
	}
	return OK;
}

RESULT engine_set_condition(struct op *op, struct condition_wish *wish)
{
	const struct row *subject = tables_find(op->head, wish->kind, wish->subject);
	if (!subject)
		return OK; /* the subject is gone */
	const struct condition *before = condition_find_by_subject(op->head, wish->subject, wish->name);
	struct condition next = {.row.gen = 1,
				 .subject_kind = wish->kind,
				 .subject = wish->subject,
				 .name = wish->name,
				 .message = wish->message,
				 .advice = wish->advice,
				 .request_id = before ? before->request_id : op->ctx->request_id};
	next.row.id = before ? before->row.id : engine_new_id(op, KIND_CONDITION);
	if (before && row_equal(&model_kinds[KIND_CONDITION], &before->row, &next.row))
		return OK;
	TRY(condition_put(op, &next));
	if (before)
		return OK;
	return engine_log_event(op, wish->kind, subject, "condition", "%" STR_FMT ": %" STR_FMT,
				STR_ARG(wish->name), STR_ARG(wish->message));
}

RESULT engine_clear_condition(struct op *op, struct condition_wish *wish)
{
	if (str_is_empty(wish->name))
		return condition_clear_all(op, wish->subject);
	return condition_clear(op, wish->subject, wish->name);
}
