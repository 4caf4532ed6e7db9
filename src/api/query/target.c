/* SPDX-License-Identifier: Apache-2.0
 * Reads calls of AWS JSON 1.1, and words their problems. */
#include "api/query/target.h"

#include <stdio.h>

#include "api/core/dump.h"
#include "auth/key/sigv4.h"

/* clang-format off */
const struct api_error target_faults[] = {
	[SIGV4_NO_CREDENTIALS] = {ERR_UNAUTHENTICATED, 0, 400, "MissingAuthenticationTokenException"},
	[SIGV4_INCOMPLETE] = {ERR_UNAUTHENTICATED, 0, 400, "IncompleteSignatureException"},
	[SIGV4_UNKNOWN_KEY] = {ERR_UNAUTHENTICATED, 0, 400, "UnrecognizedClientException"},
	[SIGV4_MISMATCH] = {ERR_UNAUTHENTICATED, 0, 400, "InvalidSignatureException"},
	[SIGV4_SKEWED] = {ERR_UNAUTHENTICATED, 0, 400, "InvalidSignatureException"},
	[SIGV4_EXPIRED] = {ERR_UNAUTHENTICATED, 0, 400, "ExpiredTokenException"},
	[SIGV4_SCOPE] = {ERR_UNAUTHENTICATED, 0, 400, "InvalidSignatureException"},
};
/* clang-format on */

#define ONE "1 validation error detected: Value "
#define MUST " failed to satisfy constraint: Member must "
#define AT "at '{parameter}'" MUST
const struct params_dialect target_dialect = {
	.words =
		{
			[FAULT_MISSING] = ONE AT "not be null",
			[FAULT_UNBUILT] = "The parameter {parameter} is not supported.",
			[FAULT_TYPE] = "{parameter} is not of the type {type}",
			[FAULT_WORDS] = ONE "'{value}' " AT "satisfy enum value set: [{words}]",
			[FAULT_CHOICE] = ONE "'{value}' " AT "be true or false",
			[FAULT_BOOL] = ONE "'{value}' " AT "be true or false",
			[FAULT_INT] = ONE "'{value}' " AT "be a number",
			[FAULT_INT_BELOW] = ONE "'{value}' " AT "have value greater than or equal to {min}",
			[FAULT_INT_ABOVE] = ONE "'{value}' " AT "have value less than or equal to {max}",
			[FAULT_TEXT_SHORT] = ONE "'{value}' " AT "have length greater than or equal to {min}",
			[FAULT_TEXT_LONG] = ONE "'{start}' " AT "have length less than or equal to {max}",
			[FAULT_BASE64] = "{parameter} is not base64",
			[FAULT_COUNT] = ONE AT "have length less than or equal to {max}",
		},
	.comma = ", ",
	.rules = UNKNOWN_IS_IGNORED | NULLS_ARE_ABSENT,
	.text_max = 1024,
};

RESULT target_fail_member(struct ctx *c, const char *field, struct str value, const char *must)
{
	return ctx_fail_field(c, ERR_INVALID, str_from(field), ONE "'%" STR_FMT "' at '%s'" MUST "%s",
			      STR_ARG(str_slice(value, 0, 128)), field, must);
}

RESULT target_check_count(struct ctx *c, const char *field, size_t count, size_t max)
{
	if (count >= 1 && count <= max)
		return OK;
	return ctx_fail_field(c, ERR_INVALID, str_from(field), ONE "'[%s]' at '%s'" MUST "have length %s %zu",
			      count ? "..." : "", field,
			      count ? "less than or equal to" : "greater than or equal to", count ? max : 1);
}

static RESULT read_body(struct api_call *core, json_t **ret_body)
{
	struct str text = str_trim(core->call->body);
	json_error_t error;
	*ret_body = json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, JSON_REJECT_DUPLICATES, &error);
	return json_is_object(*ret_body) ? OK
					 : ctx_fail(core->c, ERR_MALFORMED, "The request is no JSON object.");
}

RESULT target_find(struct api_call *core, const struct target_service *service, json_t **ret_body)
{
	struct str target = call_header(core->call, "X-Amz-Target"), prefix = str_from(service->prefix);
	TRY(api_check_signature(core, target_faults));
	bool is_ours = str_starts_with(target, prefix);
	struct str name = is_ours ? str_slice(target, prefix.n, target.n) : STR_NONE;
	const struct api_entry *entry = is_ours ? api_find_action(&core->face->entries, name) : NULL;
	TRY(api_check_limits(core, entry ? entry->action : NULL, OK));
	api_choose_action(core, entry);
	if (!entry)
		return ctx_fail_field(core->c, ERR_UNSUPPORTED, STR("X-Amz-Target"),
				      "%s has no operation %" STR_FMT " here.", service->name,
				      STR_ARG(str_slice(name, 0, 128)));
	return read_body(core, ret_body);
}

bool target_is_for(const struct call *call, const char *service)
{
	char scope[64];
	(void) snprintf(scope, sizeof scope, "/%s/aws4_request", service);
	return str_contains(call_header(call, "Authorization"), str_from(scope));
}

RESULT target_read_args(struct api_call *core, const json_t *body)
{
	const struct params_request request = {.dialect = &target_dialect, .body = document_of_json(body)};
	TRY(api_new_args(core, 1, core->action->args.size));
	return core->action->args.count ? params_fill(core->c, &core->action->args, &request, core->args)
					: OK;
}

RESULT target_prepare(struct api_call *core)
{
	struct target_call *e = target_call_of(core);
	const struct target_action *a = target_action_of(e);
	TRY(target_read_args(core, e->body));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

void target_end_request(struct api_call *core)
{
	struct target_call *e = target_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

RESULT target_write_answer(struct api_call *core, struct buf *body)
{
	struct target_call *e = target_call_of(core);
	const struct target_action *a = target_action_of(e);
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	if (a->answer)
		TRY(a->answer(e, e->args, &w));
	json_write_close(&w);
	return json_write_end(&w);
}

void target_write_tags(struct json_writer *w, const char *name, struct tags tags)
{
	json_write_open_list(w, name);
	for (size_t k = 0; k < tags.count; k++) {
		json_write_open(w, NULL);
		json_write_text(w, "Key", tags.at[k].key);
		json_write_text(w, "Value", tags.at[k].value);
		json_write_close(w);
	}
	json_write_close_list(w);
}

void target_word_problem(struct api_call *core, struct api_problem *p)
{
	p->message = api_say_problem(core->c, p);
}

RESULT target_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_z(&w, "__type", p->error->code);
	json_write_text(&w, "message", p->message);
	json_write_close(&w);
	call_set_answer_header(core->call, "x-amzn-ErrorType", str_from(p->error->code));
	return json_write_end(&w);
}

void target_dump_actions(struct buf *out, const char *face, const struct api_groups *groups)
{
	const struct dump_form form = {.face = face, .list_suffix = ""};
	struct json_writer w;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count; k++) {
			const struct api_action *a = api_action_at(groups->at[g], k);
			dump_open_action(&w, &form, a, face, a->name);
			dump_params(&w, &form, NULL, &a->args);
			json_write_close(&w);
		}
	json_write_close_list(&w);
	json_write_close(&w);
}
