/* SPDX-License-Identifier: Apache-2.0
 * Rows of audits and findings. reconcile/audit/region_audit.c compares. Called by: api/native/audits.c,
 * daemon/commands_inspect.c, daemon/commands_adopt.c. */
#include "engine/region/region_audit.h"

#include "engine/internal.h"
#include "store/audit_difference.h"
#include "store/region_audit.h"

/* ---- rows ---- */

/* Forgets the oldest ended audit with its findings. */
static RESULT make_room(struct op *op)
{
	const struct region_audit *oldest = NULL;
	size_t count = 0;
	for (const struct region_audit *r = region_audit_first(op->head); r;
	     r = region_audit_next(op->head, r), count++)
		if (r->stage == REGION_AUDIT_STAGE_ENDED &&
		    (!oldest || r->row.created_us < oldest->row.created_us))
			oldest = r;
	if (!oldest || count < AUDITS_KEPT)
		return OK;
	return region_audit_forget(op, oldest->row.id);
}

static const struct region_audit *find_running(const struct tables *t)
{
	const struct region_audit *r = region_audit_first(t);
	while (r && r->stage != REGION_AUDIT_STAGE_RUNNING)
		r = region_audit_next(t, r);
	return r;
}

RESULT engine_begin_audit(struct op *op, struct audit_wish *wish)
{
	TRY(engine_permit(op, "host.audit", KIND_REGION_AUDIT, NULL));
	if (find_running(op->head))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_REGION_AUDIT, "An audit is under way.");
	TRY(make_room(op));
	struct region_audit run = {.row.id = engine_new_id(op, KIND_REGION_AUDIT),
				   .row.gen = 1,
				   .asked_by = op->ctx->who ? op->ctx->who->user_name : STR_NONE,
				   .begun_us = op->now_us};
	wish->audit = run.row.id;
	return region_audit_put(op, &run);
}

/* ---- results ---- */

RESULT engine_see_audit(struct op *op, struct audit_progress *progress)
{
	const struct region_audit *run = region_audit_find(op->head, progress->audit);
	if (!run || run->stage == REGION_AUDIT_STAGE_ENDED)
		return OK;
	struct region_audit next = *run;
	next.asked = progress->asked;
	next.answered = progress->answered;
	return region_audit_put(op, &next);
}

/* ret_run->row.id none: the audit ended or is gone. */
static RESULT find_ending(struct op *op, const struct audit_end *end, struct region_audit *ret_run)
{
	const struct region_audit *run = region_audit_find(op->head, end->audit);
	*ret_run = (struct region_audit){0};
	if (uuid_is_none(end->audit)) {
		TRY(make_room(op));
		ret_run->row = (struct row){.id = engine_new_id(op, KIND_REGION_AUDIT), .gen = 1};
		ret_run->begun_us = end->begun_us;
	} else if (run && run->stage == REGION_AUDIT_STAGE_RUNNING) {
		*ret_run = *run;
	}
	return OK;
}

static RESULT put_findings(struct op *op, uuid audit, const struct audit_end *end)
{
	for (const struct region_audit *r = region_audit_first(op->head); r;
	     r = region_audit_next(op->head, r))
		FORGET_EACH(op, audit_difference, audit, r->row.id);
	for (size_t k = 0; k < end->found_count && k < AUDIT_DIFFERENCES_MAX; k++) {
		struct audit_difference finding = end->found[k];
		finding.row = (struct row){.id = engine_new_id(op, KIND_AUDIT_DIFFERENCE), .gen = 1};
		finding.audit = audit;
		TRY(audit_difference_put(op, &finding));
	}
	return OK;
}

RESULT engine_end_audit(struct op *op, struct audit_end *end)
{
	struct region_audit next;
	TRY(engine_permit(op, "host.audit", KIND_REGION_AUDIT, NULL));
	TRY(find_ending(op, end, &next));
	if (uuid_is_none(next.row.id))
		return OK;
	next.stage = REGION_AUDIT_STAGE_ENDED;
	next.asked = next.answered = end->asked;
	next.found = (int64_t) end->found_count;
	next.quarantined = 0;
	for (size_t k = 0; k < end->found_count; k++)
		next.quarantined += end->found[k].quarantined;
	next.cached = end->cached;
	next.cached_bytes = end->cached_bytes;
	next.ended_us = op->now_us;
	TRY(put_findings(op, next.row.id, end));
	return region_audit_put(op, &next);
}

RESULT engine_end_leftover(struct op *op, uuid subject)
{
	FORGET_EACH(op, audit_difference, subject, subject);
	return OK;
}

RESULT engine_note_purge(struct op *op, struct leftover_purge *purge)
{
	TRY(engine_permit(op, "host.purge", KIND_AUDIT_DIFFERENCE, NULL));
	return engine_end_leftover(op, purge->subject);
}
