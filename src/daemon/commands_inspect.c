/* SPDX-License-Identifier: Apache-2.0
 * dari explain, audit: what is there, why it is as it is, and whether it is what the rows say. */
#include "base/clock.h"
#include "daemon/bill/bill.h"
#include "daemon/explain.h"
#include "engine/region/region_audit.h"
#include "store/account.h"
#include "store/host.h"
#include "store/sql.h"

enum { EVENTS_SHOWN = 20, AUDIT_DEADLINE_S = 60 };

/* ---- explain ---- */

/* An EC2 id, a whole UUID, a public address or a name of a host or an account. */
static const struct row *find_anything(const struct tables *t, struct str text, enum kind *ret_kind)
{
	enum kind kind = id_kind_of_ec2(text);
	struct ref ref = {0};
	if (kind != KIND_NONE && result_is_ok(id_parse_ec2(text, kind, &ref))) {
		*ret_kind = kind;
		return tables_find_prefix(t, kind, ref.prefix, ref.bits);
	}
	uuid id = UUID_NONE;
	bool is_uuid = result_is_ok(uuid_parse(text, &id));
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
		*ret_kind = k;
		const struct row *row = is_uuid ? tables_find(t, k, id) : NULL;
		if (!row && !is_uuid && k == KIND_HOST)
			row = (const struct row *) host_find_by_name(t, text);
		if (!row && !is_uuid && k == KIND_ACCOUNT)
			row = (const struct row *) account_find_by_domain(t, DOMAIN_DEFAULT, text);
		if (row)
			return row;
	}
	return NULL;
}

static RESULT explain_event(void *arg, const struct event *event)
{
	struct command_call *call = arg;
	char at[CLOCK_TEXT_SIZE];
	buf_print(&call->text, "  %s  %-24.*s %" STR_FMT " %" STR_FMT "\n", clock_write_ms(event->at_us, at),
		  STR_ARG(event->action), STR_ARG(event->what), STR_ARG(event->text));
	return OK;
}

static json_t *first_item(const json_t *list)
{
	return json_array_get(json_object_get(list, "items"), 0);
}

static const char *word(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));
	return text ? text : "";
}

/* A call that policies refused, by its request id. */
static RESULT explain_refusal(struct command_call *call, struct str json)
{
	call->value = json_loadb(json.p, json.n, 0, NULL);
	const json_t *context = json_object_get(call->value, "context"),
		     *statement = first_item(json_object_get(call->value, "matchedStatements"));
	if (!context)
		return ctx_fail(&call->ctx, ERR_INTERNAL, "what was kept of the refusal cannot be read");
	buf_print(&call->text, "refused: %s\n  by        %s\n  on        %s\n", word(context, "action"),
		  word(json_object_get(context, "principal"), "arn"), word(context, "resource"));
	if (statement)
		buf_print(&call->text, "  because   statement %lld %s%s%sof the %s %s denies it\n",
			  (long long) json_integer_value(json_object_get(statement, "statement")),
			  *word(statement, "statementId") ? "(" : "", word(statement, "statementId"),
			  *word(statement, "statementId") ? ") " : "", word(statement, "policyType"),
			  word(statement, "policy"));
	else
		buf_print(&call->text, "  because   no %s allows it\n", word(call->value, "decidedBy"));
	json_t *items = json_object_get(json_object_get(context, "conditions"), "items"), *item = NULL;
	size_t n = 0;
	json_array_foreach (items, n, item) {
		buf_print(&call->text, "  %-26s %s\n", word(item, "key"),
			  word(first_item(json_object_get(item, "values")), "value"));
	}
	return OK;
}

static RESULT explain(struct command_call *call)
{
	struct str text = command_arg(call, "id");
	if (str_contains(text, STR("/")))
		return bill_explain(call, text);
	struct view view = {0};
	view_open(call->daemon->store, &view);
	enum kind kind = KIND_NONE;
	const struct row *row = find_anything(view.tables, text, &kind);
	if (!row) {
		view_close(&view);
		struct str refusal = guard_find_refusal(call->daemon->guards, call->ctx.arena, text);
		if (refusal.n)
			return explain_refusal(call, refusal);
		return ctx_fail(&call->ctx, ERR_NOT_FOUND, "nothing here is called %" STR_FMT, STR_ARG(text));
	}
	uuid id = row->id;
	explain_resource(call, view.tables, kind, row);
	view_close(&view);
	buf_print(&call->text, "history, newest first:\n");
	const struct event_query query = {.id = id, .max = EVENTS_SHOWN};
	return call->daemon->sql->read_events(call->daemon->sql, &call->ctx, &query, explain_event, call);
}

/* ---- audit ---- */

static RESULT audit(struct command_call *call)
{
	struct audit found = {0};
	struct audit_end end = {.begun_us = clock_now_us()};
	TRY(reconciler_audit(call->daemon->reconciler, &call->ctx, clock_now_us() + AUDIT_DEADLINE_S * SECOND,
			     &found));
	TRY(reconciler_describe_audit(&call->ctx, &found, &end));
	/* What was found is told also where it cannot be kept, as when the database is what is wrong. */
	IGNORE(command_commit(call, "dari:audit", engine_end_audit_run, &end));
	ctx_clear_problem(&call->ctx);
	call->value = json_array();
	for (size_t k = 0; k < found.findings.count; k++) {
		const struct audit_finding *f = &found.findings.at[k];
		buf_print(&call->text, "%s%" STR_FMT "\n", f->is_quarantined ? "quarantined: " : "",
			  STR_ARG(f->words));
		(void) json_array_append_new(call->value,
					     json_pack("{s:s%, s:b}", "finding", f->words.p, f->words.n,
						       "quarantined", (int) f->is_quarantined));
	}
	for (size_t k = 0; k < found.cached.count; k++)
		buf_print(&call->text,
			  "cached: host %" STR_FMT " has a copy of the image store's %" STR_FMT
			  ", %lld MiB\n",
			  STR_ARG(found.cached.at[k].host), STR_ARG(found.cached.at[k].sha256),
			  (long long) (found.cached.at[k].file_size >> 20));
	if (found.findings.count == 0)
		buf_print(&call->text, "clean: rows, domains, disks and the network agree\n");
	call->status = found.findings.count > 0;
	return OK;
}

const struct command inspect_commands[] = {
	{"explain",
	 "Says of a resource its state, since when, what is in its way, when it is tried next and what to "
	 "do; then its "
	 "fields, and what happened to it.",
	 {{"id", PARAM_POSITIONAL, true,
	   "An id, a UUID, the name of a host or an account, the id of a request that was refused, or the id "
	   "of a charge (x_ChargeId)."},
	  {"all", PARAM_FLAG, false, "Also the fields that are empty or have their default."}},
	 .run = explain},
	{"audit",
	 "Compares rows with domains, disks and the network; exit status 1 on any difference.",
	 {{0}},
	 .run = audit},
	{0},
};
