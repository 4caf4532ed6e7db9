/* SPDX-License-Identifier: Apache-2.0
 * Selects the action, joins parameters of path, query and body into one JSON object, and writes answers and problems. */
#include "api/query/rest_json.h"

#include "auth/key/sigv4.h"

enum { QUERY_MAX = 200 };

static const struct api_error faults[SIGV4_SCOPE + 1] = {
	[SIGV4_NO_CREDENTIALS] = {ERR_UNAUTHENTICATED, 0, 403, "MissingAuthenticationTokenException"},
	[SIGV4_INCOMPLETE] = {ERR_UNAUTHENTICATED, 0, 403, "IncompleteSignatureException"},
	[SIGV4_UNKNOWN_KEY] = {ERR_UNAUTHENTICATED, 0, 403, "UnrecognizedClientException"},
	[SIGV4_MISMATCH] = {ERR_UNAUTHENTICATED, 0, 403, "InvalidSignatureException"},
	[SIGV4_SKEWED] = {ERR_UNAUTHENTICATED, 0, 403, "InvalidSignatureException"},
	[SIGV4_EXPIRED] = {ERR_UNAUTHENTICATED, 0, 403, "ExpiredTokenException"},
	[SIGV4_SCOPE] = {ERR_UNAUTHENTICATED, 0, 403, "InvalidSignatureException"},
};

RESULT rest_json_write_problem_with(struct api_call *core, struct api_problem *p, const char *member,
				    const char *value, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_text(&w, "Message", p->message);
	if (value)
		json_write_z(&w, member, value);
	json_write_close(&w);
	call_set_answer_header(core->call, "x-amzn-ErrorType", str_from(p->error->code));
	return json_write_end(&w);
}

RESULT rest_json_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	return rest_json_write_problem_with(core, p, "Code", p->error->code, body);
}

/* ---- from request to action ---- */

static json_t *text_of(struct str text)
{
	return json_stringn(text.p, text.n);
}

/* Parameters of the path replace members of the body with their names. */
static RESULT add_variables(struct rest_json_call *e, const struct pairs *variables)
{
	for (size_t k = 0; k < variables->count; k++) {
		struct str value = STR_NONE;
		const char *name = str_to_z(e->c->arena, variables->at[k].name);
		bool is_text =
			name && result_is_ok(str_decode_url(e->c->arena, variables->at[k].value, &value));
		if (!is_text || json_object_set_new(e->input, name, text_of(value)))
			return ctx_fail_field(e->c, ERR_INVALID, variables->at[k].name,
					      "The path's value is not encoded as a URL's.");
	}
	return OK;
}

static RESULT add_pair(struct rest_json_call *e, const struct param *p, struct str value)
{
	json_t *list = json_object_get(e->input, p->wire);
	if (p->type == PARAM_TEXTS && !json_is_array(list)) {
		list = json_array();
		if (json_object_set_new(e->input, p->wire, list))
			return ctx_no_memory(e->c);
	}
	bool failed = p->type == PARAM_TEXTS ? json_array_append_new(list, text_of(value))
					     : json_object_set_new(e->input, p->wire, text_of(value));
	return failed ? ctx_fail_field(e->c, ERR_INVALID, str_from(p->wire), "The query is not UTF-8.") : OK;
}

/* Reads the query of a call without a body. A list repeats its name. Ignores names that the call does not have, as AWS does. */
static RESULT add_query(struct rest_json_call *e, const struct params *args)
{
	static const struct pairs_rules rules = {.noun = "query", .count_max = QUERY_MAX};
	struct pairs pairs = {0};
	TRY(pairs_parse(e->c, &rules, e->call->query, STR_NONE, &pairs));
	for (size_t k = 0; k < args->count; k++)
		for (size_t n = 0; n < pairs.count; n++)
			if (str_is(pairs.at[n].name, args->at[k].wire))
				TRY(add_pair(e, &args->at[k], pairs.at[n].value));
	return OK;
}

RESULT rest_json_choose(struct api_call *core, const struct rest_table *table, const char *service,
			struct str path, struct pairs *ret_variables)
{
	bool ignored = false;
	TRY(api_check_signature(core, faults));
	const struct rest_action *found =
		rest_find_action(core->c, table, core->call->method, path, ret_variables, &ignored);
	TRY(api_check_limits(core, found ? &found->core : NULL, OK));
	if (!found)
		return ctx_fail_field(core->c, ERR_UNSUPPORTED, STR("path"), "%s has no such operation here.",
				      service);
	const struct api_entry entry = api_entry_of(&found->core);
	api_choose_action(core, &entry);
	return OK;
}

RESULT rest_json_read_body(struct api_call *core, json_t **ret_body)
{
	struct str text = str_trim(core->call->body);
	json_error_t error;
	*ret_body = json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, JSON_REJECT_DUPLICATES, &error);
	return json_is_object(*ret_body) ? OK
					 : ctx_fail(core->c, ERR_MALFORMED, "The body is not a JSON object.");
}

RESULT rest_json_find(struct api_call *core, const struct rest_table *table, const char *service)
{
	struct rest_json_call *e = rest_json_call_of(core);
	struct pairs variables = {0};
	struct str path = e->call->path;
	if (path.n > 1 && path.p[path.n - 1] == '/') /* some models have it, others do not */
		path = str_slice(path, 0, path.n - 1);
	TRY(rest_json_choose(core, table, service, path, &variables));
	TRY(rest_json_read_body(core, &e->input));
	if (e->call->method == HTTP_GET || e->call->method == HTTP_DELETE)
		TRY(add_query(e, &core->action->args));
	return add_variables(e, &variables);
}

RESULT rest_json_prepare(struct api_call *core)
{
	struct rest_json_call *e = rest_json_call_of(core);
	const struct rest_json_action *a = rest_json_action_of(e);
	TRY(target_read_args(core, e->input));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

void rest_json_end_request(struct api_call *core)
{
	struct rest_json_call *e = rest_json_call_of(core);
	json_decref(e->input);
	e->input = NULL;
}

RESULT rest_json_write_answer(struct api_call *core, struct buf *body)
{
	struct rest_json_call *e = rest_json_call_of(core);
	const struct rest_json_action *a = rest_json_action_of(e);
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	if (a->answer)
		TRY(a->answer(e, e->args, &w));
	json_write_close(&w);
	return json_write_end(&w);
}

void rest_json_write_map(struct json_writer *w, const char *name, struct tags tags)
{
	json_write_open(w, name);
	for (size_t k = 0; k < tags.count; k++) {
		json_write_key(w, tags.at[k].key);
		json_write_text(w, NULL, tags.at[k].value);
	}
	json_write_close(w);
}

/* ---- for tests ---- */

static const struct dump_form form = {.list_suffix = ""};

static void write_members(struct json_writer *w, const struct rest_action *a)
{
	dump_params(w, &form, NULL, &a->core.args);
}

void rest_json_dump_actions(const struct rest_table *table, const char *face, struct buf *out)
{
	const struct dump_form named = {.face = face, .list_suffix = form.list_suffix};
	rest_dump_actions(table, &named, write_members, out);
}
