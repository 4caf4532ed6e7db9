/* SPDX-License-Identifier: Apache-2.0
 * Puts and deletes dashboards. Called by: api/cloudwatch. Source: Amazon CloudWatch API Reference, PutDashboard. */
#include "engine/alarm/dashboard.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"

struct str engine_write_dashboard_arn(struct arena *a, struct str account_number, const struct row *row)
{
	const struct dashboard *dashboard = dashboard_of(row);
	return str_print(a, "arn:aws:cloudwatch::%" STR_FMT ":dashboard/%" STR_FMT, STR_ARG(account_number),
			 STR_ARG(dashboard ? dashboard->name : STR("*")));
}

RESULT engine_put_dashboard(struct op *op, struct dashboard_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	const struct dashboard *present = dashboard_find_by_account(op->head, account, wish->name);
	struct dashboard next = {.account = account, .name = wish->name};
	if (present) {
		TRY(engine_permit(op, "dashboard.put", KIND_DASHBOARD, &present->row));
		next.row = present->row;
	} else {
		TRY(engine_permit_new(op, "dashboard.put", KIND_DASHBOARD, &next.row));
		TRY(limit_check(op, LIMIT_DASHBOARDS, next.account, 1, STR_NONE));
		next.row.id = engine_new_id(op, KIND_DASHBOARD);
	}
	next.body = wish->body;
	next.changed_us = op->now_us;
	next.row.gen++;
	wish->made = next.row.id;
	return dashboard_put(op, &next);
}

/* All or none: a name that is absent refuses the others, too. */
RESULT engine_delete_dashboards(struct op *op, struct dashboards_wish *wish)
{
	const struct dashboard *dashboard = NULL;
	uuid *ids = arena_new_array(op->ctx->arena, uuid, wish->dashboards.count + 1);
	if (!ids)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->dashboards.count; k++) {
		TRY(engine_permit_dashboard(op, &wish->dashboards.at[k], "dashboard.delete", &dashboard));
		ids[k] = dashboard->row.id;
	}
	for (size_t k = 0; k < wish->dashboards.count; k++)
		if (dashboard_find(op->head, ids[k])) /* a name may be there twice */
			TRY(dashboard_forget(op, ids[k]));
	return OK;
}
