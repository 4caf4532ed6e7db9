/* SPDX-License-Identifier: Apache-2.0
 * Selects the action, joins parameters of path, query and body into one JSON object, and writes problems. */
#include "api/query/rest_json.h"

#include "auth/key/sigv4.h"
#include "base/json_write.h"

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

RESULT rest_json_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_text(&w, "Message", p->message);
	json_write_z(&w, "Code", p->error->code);
	json_write_close(&w);
	call_set_answer_header(core->call, "x-amzn-ErrorType", str_from(p->error->code));
	return json_write_end(&w);
}

/* ---- from request to action ---- */

struct rest_json {
	struct ctx *c;
	struct call *call;
	json_t *input;
};

static json_t *text_of(struct str text)
{
	return json_stringn(text.p, text.n);
}

/* Parameters of the path replace members of the body with their names. */
static RESULT add_variables(struct rest_json *e, const struct pairs *variables)
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

static RESULT add_pair(struct rest_json *e, const struct param *p, struct str value)
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
static RESULT add_query(struct rest_json *e, const struct params *args)
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

RESULT rest_json_find(struct api_call *core, const struct rest_table *table, const char *service,
		      json_t **ret_input)
{
	struct rest_json joined = {.c = core->c, .call = core->call}, *e = &joined;
	struct pairs variables = {0};
	struct str path = e->call->path, text = str_trim(e->call->body);
	bool has_path = false;
	json_error_t error;
	TRY(api_check_signature(core, faults));
	if (path.n > 1 && path.p[path.n - 1] == '/') /* some models have it, others do not */
		path = str_slice(path, 0, path.n - 1);
	const struct rest_action *found =
		rest_find_action(e->c, table, e->call->method, path, &variables, &has_path);
	TRY(api_check_limits(core, found ? &found->core : NULL, OK));
	if (!found)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("path"), "%s has no such operation here.",
				      service);
	const struct api_entry entry = api_entry_of(&found->core);
	api_choose_action(core, &entry);
	*ret_input = e->input =
		json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(e->input))
		return ctx_fail(e->c, ERR_MALFORMED, "The body is not a JSON object.");
	if (e->call->method == HTTP_GET || e->call->method == HTTP_DELETE)
		TRY(add_query(e, &found->core.args));
	return add_variables(e, &variables);
}
