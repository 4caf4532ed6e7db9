/* SPDX-License-Identifier: Apache-2.0
 * Finds the pairs and the action of a request in AWS's query protocol. */
#include "api/query/query_call.h"

#include <stdio.h>

bool query_is_for(const struct call *call, const char *service)
{
	char scope[64];
	snprintf(scope, sizeof scope, "/%s/aws4_request", service);
	if (str_contains(call_header(call, "Authorization"), str_from(scope)))
		return true;
	snprintf(scope, sizeof scope, "%%2F%s%%2Faws4_request", service);
	return str_contains(call->query, str_from(scope));
}

RESULT query_parse_call(struct api_call *e)
{
	const struct call *call = e->call;
	if (call->method != HTTP_GET && call->method != HTTP_POST)
		return ctx_fail(e->c, ERR_UNSUPPORTED, "The method %" STR_FMT " is not GET or POST",
				STR_ARG(call->method_name));
	struct str form = call->method == HTTP_POST ? call->body : STR_NONE;
	return request_parse(e->c, call->query, form, &e->pairs);
}

const struct api_entry *query_find_entry(const struct api_call *e, unsigned mask, unsigned flags)
{
	const struct api_entry *entry = api_find_action(&e->face->entries, pairs_find(&e->pairs, "Action"));
	return entry && (entry->action->flags & mask) == flags ? entry : NULL;
}

RESULT query_find_action(struct api_call *e, unsigned mask, unsigned flags)
{
	struct result parsed = query_parse_call(e);
	const struct api_entry *entry = query_find_entry(e, mask, flags);
	parsed = api_check_limits(e, entry ? entry->action : NULL, parsed);
	api_choose_action(e, entry);
	return parsed;
}

RESULT query_check_version(struct api_call *e, const char *version, bool may_lack_version)
{
	static const struct api_error missing = {ERR_MISSING, KIND_NONE, 400, "MissingAction"},
				      unknown = {ERR_UNSUPPORTED, KIND_NONE, 400, "InvalidAction"};
	struct str action = pairs_find(&e->pairs, "Action"), said = pairs_find(&e->pairs, "Version");
	bool is_version = str_is(said, version) || (may_lack_version && !said.n);
	if (e->action && is_version)
		return OK;
	e->error = action.n ? &unknown : &missing;
	if (!action.n)
		return ctx_fail(e->c, ERR_MISSING, "The request must contain the parameter Action.");
	return ctx_fail(e->c, ERR_UNSUPPORTED, "Could not find operation %" STR_FMT " for version %" STR_FMT,
			STR_ARG(str_slice(action, 0, 128)),
			STR_ARG(said.n ? str_slice(said, 0, 32) : STR("NO_VERSION_SPECIFIED")));
}

RESULT query_check_action(struct api_call *e, bool may_lack_version)
{
	return query_check_version(e, e->face->protocol->version, may_lack_version);
}

struct str query_find_version(const struct call *call)
{
	const struct str name = STR("Version=");
	const struct str places[] = {call->query, call->body};
	for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
		struct str rest = places[k], pair = STR_NONE;
		while (str_split_next(&rest, '&', &pair))
			if (str_starts_with(pair, name))
				return str_slice(pair, name.n, pair.n);
	}
	return STR_NONE;
}

/* ---- answers ---- */

RESULT query_write_answer(struct api_call *e, struct xml *x, struct str name_space,
			  RESULT (*write_result)(struct api_call *e, struct xml *x))
{
	const char *root = str_to_z(e->c->arena, str_print(e->c->arena, "%sResponse", e->action->name));
	const char *inner = str_to_z(e->c->arena, str_print(e->c->arena, "%sResult", e->action->name));
	xml_open_ns(x, root, name_space);
	if (write_result) {
		xml_open(x, inner);
		TRY(write_result(e, x));
		xml_close(x, inner);
	}
	xml_open(x, "ResponseMetadata");
	xml_text(x, "RequestId", e->c->request_id);
	xml_close(x, "ResponseMetadata");
	xml_close(x, root);
	return OK;
}

void query_write_problem(struct api_call *e, const struct api_problem *p, struct xml *x,
			 struct str name_space)
{
	xml_open_ns(x, "ErrorResponse", name_space);
	xml_open(x, "Error");
	xml_z(x, "Type", p->status >= 500 ? "Receiver" : "Sender");
	xml_z(x, "Code", p->error->code);
	xml_text(x, "Message", p->message);
	xml_close(x, "Error");
	xml_text(x, "RequestId", e->c->request_id);
	xml_close(x, "ErrorResponse");
}

RESULT query_write_answer_document(struct api_call *e, struct buf *body, struct str name_space,
				   RESULT (*write_result)(struct api_call *e, struct xml *x))
{
	struct xml x;
	xml_begin(&x, body);
	TRY(query_write_answer(e, &x, name_space, write_result));
	return xml_end(&x);
}

RESULT query_write_problem_document(struct api_call *e, const struct api_problem *p, struct buf *body,
				    struct str name_space)
{
	struct xml x;
	xml_begin(&x, body);
	query_write_problem(e, p, &x, name_space);
	return xml_end(&x);
}

void query_word_problem(struct api_call *e, struct api_problem *p)
{
	p->message = api_say_problem(e->c, p);
}

/* ---- for the documentation and the tests ---- */

void query_dump_actions(struct buf *out, const char *face, const char *service,
			const struct api_groups *groups)
{
	struct dump_form form = request_dump_form;
	struct json_writer w;
	form.face = face;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count; k++) {
			const struct api_action *a = api_action_at(groups->at[g], k);
			dump_open_action(&w, &form, a, service, a->name);
			dump_params(&w, &form, NULL, &a->args);
			json_write_open_list(&w, "filters");
			json_write_close_list(&w);
			json_write_close(&w);
		}
	json_write_close_list(&w);
	json_write_close(&w);
}

#define F(fault, status, code) [SIGV4_##fault] = {ERR_UNAUTHENTICATED, KIND_NONE, status, code}

const struct api_error query_faults[SIGV4_SCOPE + 1] = {
	F(NO_CREDENTIALS, 403, "MissingAuthenticationToken"),
	F(INCOMPLETE, 400, "IncompleteSignature"),
	F(UNKNOWN_KEY, 403, "InvalidClientTokenId"),
	F(MISMATCH, 403, "SignatureDoesNotMatch"),
	F(SKEWED, 403, "SignatureDoesNotMatch"),
	F(EXPIRED, 403, "ExpiredToken"),
	F(SCOPE, 403, "SignatureDoesNotMatch"),
};
