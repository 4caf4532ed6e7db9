/* SPDX-License-Identifier: Apache-2.0
 * dari explain, audit, reach: shows a resource's state and the reasons for it, compares reality with the
 * rows, and traces connectivity. */
#include "base/clock.h"
#include "daemon/bill/bill.h"
#include "daemon/explain.h"
#include "engine/network/port/port.h"
#include "engine/reach/reach.h"
#include "engine/region/region_audit.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/host.h"
#include "store/port.h"
#include "store/sql.h"

enum { EVENTS_SHOWN = 20, AUDIT_DEADLINE_S = 60 };

/* ---- explain ---- */

/* Finds by EC2 id, full UUID, public address, or a host's or account's name. */
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

/* Destination of a history, and the word for its resource's kind. */
struct history {
	struct command_call *call;
	const char *subject;
};

/* Prints an event. Its text may begin with a pronoun, because the faces show it beside the resource: names
 * the subject instead, so that a copied line can be understood. */
static RESULT explain_event(void *arg, const struct event *event)
{
	const struct history *h = arg;
	struct str text = event->text;
	char at[CLOCK_TEXT_SIZE];
	bool is_of = str_starts_with(text, STR("Its "));
	if (is_of || str_starts_with(text, STR("It ")))
		text = str_print(h->call->ctx.arena, "The %s%s%" STR_FMT, h->subject, is_of ? "'s" : "",
				 STR_ARG(str_slice(text, is_of ? 3 : 2, text.n)));
	buf_print(&h->call->text, "  %s  %-24.*s %" STR_FMT " %" STR_FMT "\n",
		  clock_write_ms(event->at_us, at), STR_ARG(event->action), STR_ARG(event->what),
		  STR_ARG(text));
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

/* Explains a call refused by policies, by its request id. */
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
	struct history history = {.call = call, .subject = engine_kind_words(&call->ctx, kind)};
	return store_read_events(call->daemon->store, &call->ctx, &query, explain_event, &history);
}

/* ---- audit ---- */

static RESULT audit(struct command_call *call)
{
	struct audit found = {0};
	struct audit_end end = {.begun_us = clock_now_us()};
	TRY(reconciler_audit(call->daemon->reconciler, &call->ctx, clock_now_us() + AUDIT_DEADLINE_S * SECOND,
			     &found));
	TRY(reconciler_describe_audit(&call->ctx, &found, &end));
	/* Findings are printed even if they can't be stored, as when the database itself is at fault. */
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

/* ---- reach ---- */

static const struct port *find_port(const struct tables *t, enum kind kind, const struct ref *ref)
{
	const struct row *row = tables_find_prefix(t, kind, ref->prefix, ref->bits);
	if (!row || !row_is_live(row))
		return NULL;
	return kind == KIND_PORT ? port_of(row) : port_first_by_instance(t, row->id);
}

/* An instance stands for its first interface. */
static RESULT find_place(struct command_call *call, const struct tables *t, const char *name,
			 const struct port **ret_port, struct ip *ret_ip, bool *ret_is_internet)
{
	static const enum kind kinds[] = {KIND_INSTANCE, KIND_PORT};
	struct str text = command_arg(call, name);
	struct ref ref = {0};
	uuid id = UUID_NONE;
	bool is_uuid = result_is_ok(uuid_parse(text, &id));
	*ret_is_internet = str_is(text, "internet");
	if (*ret_is_internet || result_is_ok(ip_parse(text, ret_ip)))
		return OK;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0] && !*ret_port; k++) {
		if (is_uuid)
			ref = ref_by_id(kinds[k], id);
		if (is_uuid || result_is_ok(id_parse_ec2(text, kinds[k], &ref)))
			*ret_port = find_port(t, kinds[k], &ref);
	}
	if (*ret_port)
		return OK;
	return ctx_fail_field(&call->ctx, ERR_NOT_FOUND, str_from(name),
			      "%" STR_FMT
			      " is neither an instance with an interface, nor an interface, nor an address",
			      STR_ARG(text));
}

static enum ip_family family_of(const struct tables *t, int64_t version, const struct port *port,
				struct ip ip)
{
	if (version)
		return (enum ip_family) version;
	if (!ip_is_none(ip))
		return (enum ip_family) ip.family;
	return port && ip_is_none(engine_get_port_ip(t, port, IP_V4)) ? IP_V6 : IP_V4;
}

static RESULT read_question(struct command_call *call, const struct tables *t, struct reach_question *q)
{
	int64_t version = 0;
	bool from_internet = false, to_internet = false;
	struct str protocol = command_arg(call, "protocol");
	if (!engine_read_protocol(protocol.n ? protocol : STR("tcp"), &q->protocol))
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("protocol"),
				      "--protocol wants tcp, udp, icmp or a number, not %" STR_FMT,
				      STR_ARG(protocol));
	bool has_ports = q->protocol == 6 || q->protocol == 17;
	TRY(command_int_arg(call, "port", 0, 1, UINT16_MAX, &q->port));
	TRY(command_int_arg(call, "ip-version", 0, 4, 6, &version));
	if (has_ports != (q->port != 0) || version == 5)
		return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(version == 5 ? "ip-version" : "port"),
				      version == 5 ? "--ip-version wants 4 or 6"
				      : has_ports  ? "--port is missing: tcp and udp have ports"
						   : "--port is of tcp and udp alone");
	TRY(find_place(call, t, "from", &q->from, &q->from_ip, &from_internet));
	TRY(find_place(call, t, "to", &q->to, &q->to_ip, &to_internet));
	if (from_internet)
		q->from_ip = engine_get_stranger(t, family_of(t, version, q->to, q->to_ip));
	if (to_internet)
		q->to_ip = engine_get_stranger(t, family_of(t, version, q->from, q->from_ip));
	q->family = (enum ip_family) version;
	return OK;
}

static void write_step(struct command_call *call, const struct reach_step *s, bool decides, json_t *list)
{
	static const char *const marks[] = {
		[REACH_PASSES] = "  ", [REACH_STOPS] = "x ", [REACH_UNKNOWN] = "? "};
	char id[UUID_TEXT_SIZE] = "";
	buf_print(&call->text, "%s%s%-11s %" STR_FMT "\n", marks[s->verdict], s->is_reply ? "answer: " : "",
		  reach_stage_words[s->stage], STR_ARG(s->text));
	if (decides && s->advice.n)
		buf_print(&call->text, "              %" STR_FMT "\n", STR_ARG(s->advice));
	if (s->kind != KIND_NONE)
		uuid_write(s->row, id);
	(void) json_array_append_new(
		list,
		json_pack("{s:s, s:s, s:b, s:s, s:s, s:s%, s:s%}", "stage", reach_stage_words[s->stage],
			  "verdict", reach_verdict_words[s->verdict], "is_reply", (int) s->is_reply, "kind",
			  s->kind == KIND_NONE ? "" : model_kinds[s->kind].name, "id", id, "text", s->text.p,
			  s->text.n, "advice", s->advice.p ? s->advice.p : "", s->advice.n));
}

static RESULT find_reach(struct command_call *call)
{
	static const char *const words[] = {
		[REACH_PASSES] = "yes", [REACH_STOPS] = "no", [REACH_UNKNOWN] = "unknown"};
	struct reach_question q = {0};
	struct reach_answer a = {0};
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	TRY(read_question(call, view.tables, &q));
	TRY(engine_find_reach(&call->ctx, view.tables, &q, &a));
	json_t *steps = json_array();
	for (size_t k = 0; k < a.count; k++)
		write_step(call, &a.steps[k], k == a.first_bad, steps);
	buf_print(&call->text, "%" STR_FMT " reaches %" STR_FMT ": %s\n", STR_ARG(command_arg(call, "from")),
		  STR_ARG(command_arg(call, "to")), words[a.verdict]);
	call->value = json_pack("{s:s, s:o}", "reaches", words[a.verdict], "steps", steps);
	call->status = a.verdict != REACH_PASSES;
	return OK;
}

const struct command inspect_commands[] = {
	{"explain",
	 "Explains the state of a resource: since when, what blocks it, the next try, and what to do; then "
	 "its fields and history.",
	 {{"id", PARAM_POSITIONAL, true,
	   "An id, a UUID, the name of a host or an account, the id of a request that was refused, or the id "
	   "of a charge (x_ChargeId)."},
	  {"all", PARAM_FLAG, false, "Shows fields that are empty or have their default, too."}},
	 .run = explain,
	 .is_anywhere = true},
	{"reach",
	 "Traces a packet and its answer, and names the rule or route that blocks it; exit status 1 if it "
	 "does not arrive.",
	 {{"from", PARAM_POSITIONAL, true, "An instance, an interface, an address, or internet."},
	  {"to", PARAM_POSITIONAL, true, "An instance, an interface, an address, or internet."},
	  {"port", PARAM_OPTION, false, "Destination port, 1 to 65535; required for tcp and udp."},
	  {"protocol", PARAM_OPTION, false, "tcp, udp, icmp, or a number (default: tcp)."},
	  {"ip-version", PARAM_OPTION, false, "4 or 6 (default: what both have, IPv4 first)."}},
	 .run = find_reach,
	 .is_anywhere = true},
	{"audit",
	 "Compares the database with hosts, disks and networks; exit status 1 on any difference.",
	 {{0}},
	 .run = audit,
	 .is_anywhere = true},
	{0},
};
