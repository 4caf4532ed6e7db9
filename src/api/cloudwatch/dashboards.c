/* SPDX-License-Identifier: Apache-2.0
 * Dashboards: put, get, list, delete. A body is stored as it was written; consoles draw it. Source: Amazon CloudWatch API Reference, and
 * User Guide, "Dashboard body structure and syntax". */
#include <jansson.h>

#include "api/cloudwatch/internal.h"
#include "api/core/params.h"
#include "api/query/pages.h"
#include "engine/alarm/dashboard.h"
#include "engine/resolve.h"

enum { DASHBOARDS_OF_A_PAGE = 1000, WIDGETS_MAX = 500 };

static RESULT find_dashboard(struct cloudwatch_call *e, struct str name, struct ref *ret_ref)
{
	const struct dashboard *dashboard =
		dashboard_find_by_account(cloudwatch_tables(e), e->c->who->account, name);
	*ret_ref = dashboard ? ref_by_id(KIND_DASHBOARD, dashboard->row.id)
			     : (struct ref){.kind = KIND_DASHBOARD};
	ret_ref->text = name;
	ret_ref->field = STR("DashboardName");
	return dashboard
		       ? OK
		       : ctx_fail_field(e->c, ERR_NOT_FOUND, STR("DashboardName"),
					"Dashboard %" STR_FMT " does not exist", STR_ARG(str_cut(name, 255)));
}

static struct str arn_of(struct cloudwatch_call *e, const struct dashboard *dashboard)
{
	return engine_write_dashboard_arn(e->c->arena, e->c->who->account_number, &dashboard->row);
}

/* ---- put ---- */

static const struct param put_params[] = {
	PARAM(struct dashboard_wish, "DashboardName", name, .flags = REQUIRED, .min = 1,
	      .max = DASHBOARD_NAME_MAX, .doc = "Name: letters, digits, '-' and '_'."),
	PARAM(struct dashboard_wish, "DashboardBody", body, .flags = REQUIRED, .min = 1,
	      .max = DASHBOARD_BODY_MAX, .doc = "Widgets, as JSON."),
	NOT_BUILT("Tags.member", .doc = "Tags of a dashboard."),
};

static RESULT check_body(struct cloudwatch_call *e, struct str body)
{
	json_t *document = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *widgets = json_object_get(document, "widgets");
	bool is_object = json_is_object(document);
	bool has_widgets = json_is_array(widgets) && json_array_size(widgets) <= WIDGETS_MAX;
	json_decref(document);
	if (!is_object)
		return ctx_fail_field(e->c, ERR_INVALID, STR("DashboardBody"),
				      "The field DashboardBody must be a valid JSON object");
	return has_widgets ? OK /* Unverified: the sentence. */
			   : ctx_fail_field(
				     e->c, ERR_INVALID, STR("DashboardBody"),
				     "The dashboard body is invalid: it needs an array named widgets, of up "
				     "to %d.",
				     WIDGETS_MAX);
}

static RESULT prepare_put(struct cloudwatch_call *e, void *args)
{
	const struct dashboard_wish *a = args;
	for (size_t k = 0; k < a->name.n; k++)
		if (!str_is_alphanumeric(a->name.p[k]) && a->name.p[k] != '-' && a->name.p[k] != '_')
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("DashboardName"),
				"The value for field DashboardName contains invalid characters. It "
				"can only contain alphanumerics, dash (-) and underscore (_).\n");
	return check_body(e, a->body);
}

static RESULT answer_put(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	(void) e, (void) args;
	forms_open_list(w, "DashboardValidationMessages");
	forms_close(w);
	return OK;
}

/* ---- get ---- */

struct get_args {
	struct str name;
};
static const struct param get_params[] = {
	PARAM(struct get_args, "DashboardName", name, .flags = REQUIRED, .min = 1, .max = DASHBOARD_NAME_MAX,
	      .doc = "Name of the dashboard."),
};

static RESULT answer_get(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct get_args *a = args;
	const struct dashboard *dashboard = NULL;
	struct ref ref;
	TRY(find_dashboard(e, a->name, &ref));
	TRY(engine_find_own_dashboard(e->c, cloudwatch_tables(e), &ref, &dashboard));
	forms_text(w, "DashboardArn", arn_of(e, dashboard));
	forms_text(w, "DashboardBody", dashboard->body);
	forms_text(w, "DashboardName", dashboard->name);
	return OK;
}

/* ---- list ---- */

struct list_args {
	struct str prefix;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "DashboardNamePrefix", prefix, .max = DASHBOARD_NAME_MAX,
	      .doc = "Beginning of the names to list."),
	PARAM(struct list_args, "NextToken", pages.token, .min = 1, .max = 2048,
	      .doc = "Token of the next page, from the previous answer."),
};

static RESULT answer_list(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	const struct list_args *a = args;
	const struct tables *t = cloudwatch_tables(e);
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, DASHBOARDS_OF_A_PAGE, "NextToken", &page));
	forms_open_list(w, "DashboardEntries");
	for (const struct dashboard *d = dashboard_first_by_account(t, e->c->who->account); d && !page.is_cut;
	     d = dashboard_next_by_account(t, d)) {
		if (!str_starts_with(d->name, a->prefix) || !query_page_takes(&page, d->name))
			continue;
		forms_open(w, NULL);
		forms_text(w, "DashboardName", d->name);
		forms_text(w, "DashboardArn", arn_of(e, d));
		forms_time(w, "LastModified", d->changed_us);
		forms_int(w, "Size", (int64_t) d->body.n);
		forms_close(w);
	}
	forms_close(w);
	if (page.is_cut)
		forms_text(w, "NextToken", str_encode_base64url(e->c->arena, page.last));
	return OK;
}

/* ---- delete ---- */

struct delete_args {
	struct dashboards_wish wish;
	struct strs names;
};
static const struct param delete_params[] = {
	PARAM(struct delete_args, "DashboardNames.member", names, .min = 1, .max = DASHBOARD_NAME_MAX,
	      .doc = "Up to 100 dashboards by name. An absent one refuses the call."),
};

static RESULT prepare_delete(struct cloudwatch_call *e, void *args)
{
	struct delete_args *a = args;
	struct ref *refs = arena_new_array(e->c->arena, struct ref, a->names.count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	if (!a->names.count || a->names.count > DASHBOARDS_DELETED_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("DashboardNames"),
				      "The parameter DashboardNames must have 1 to %d names.",
				      DASHBOARDS_DELETED_MAX);
	for (size_t k = 0; k < a->names.count; k++)
		TRY(find_dashboard(e, a->names.at[k], &refs[k]));
	a->wish.dashboards = (struct refs){refs, a->names.count};
	return OK;
}

static RESULT answer_nothing(struct cloudwatch_call *e, const void *args, struct forms_writer *w)
{
	(void) e, (void) args, (void) w;
	return OK;
}

static const struct cloudwatch_action actions[] = {
	{CLOUDWATCH_ACTION("PutDashboard"), .flags = API_WRITES,
	 .args = PARAMS(struct dashboard_wish, put_params), .prepare = prepare_put,
	 .operation = engine_put_dashboard_run, .answer = answer_put, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Creates a dashboard, or replaces its body."},
	{CLOUDWATCH_ACTION("GetDashboard"), .args = PARAMS(struct get_args, get_params), .answer = answer_get,
	 .doc = "Returns a dashboard."},
	{CLOUDWATCH_ACTION("ListDashboards"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the dashboards of the account."},
	{CLOUDWATCH_ACTION("DeleteDashboards"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_dashboards_run, .answer = answer_nothing,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes dashboards."},
};
const struct api_actions cloudwatch_dashboard_actions = API_ACTIONS(actions);
