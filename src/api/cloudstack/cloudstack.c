/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's protocol, as the core asks for it: a command and its parameters in the query or a form, signed
 * with an access key. Answers are JSON, whatever `response` asks for: every current client asks for that. */
#include "api/cloudstack/cloudstack.h"

#include "api/cloudstack/internal.h"
#include "auth/cloudstack_signature.h"
#include "auth/key.h"
#include "auth/key_owner.h"
#include "auth/uses.h"
#include "base/clock.h"
#include "base/heap.h"
#include "model/role.h"
#include "store/access_key.h"

/* A signature is tried in up to sixteen forms, and whoever knows a key's id may make us try: so a request's
 * parameters are short. User data of 32 KiB fit, which are the largest that CloudStack takes. */
enum { BODY_CAP_SIZE = 64 * 1024 };

struct cloudstack_face {
	struct api_face core;
	struct cloudstack_config config;
};

static const struct pairs_rules pairs_rules = {.noun = "request",
					       .count_max = CLOUDSTACK_PARAMETERS_MAX,
					       .form = PAIRS_NEST | PAIRS_BRACKETS | PAIRS_IGNORE_CASE};

bool cloudstack_has_path(struct str path)
{
	return str_is(path, "/client/api") || str_is(path, "/client/api/");
}

/* Names are compared without case. Empty: absent. */
static struct str find_value(const struct cloudstack_call *e, const char *name)
{
	for (size_t k = 0; k < e->pairs.count; k++)
		if (str_equal_nocase(e->pairs.at[k].name, str_from(name)))
			return e->pairs.at[k].value;
	return STR_NONE;
}

/* ---- who asks ---- */

/* Version 3 of the signature says until when it holds. */
static bool is_in_time(const struct cloudstack_call *e)
{
	int64_t expires_us = 0;
	struct str version = find_value(e, "signatureversion");
	if (!str_is(version, "3"))
		return true;
	return result_is_ok(clock_parse(find_value(e, "expires"), &expires_us)) &&
	       expires_us >= clock_now_us();
}

static RESULT is_signed(struct cloudstack_call *e, const struct access_key *key, bool *ret_is_right)
{
	struct str secret = STR_NONE;
	struct cloudstack_parameter *at =
		arena_new_array(e->c->arena, struct cloudstack_parameter, e->pairs.count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < e->pairs.count; k++)
		if (!str_equal_nocase(e->pairs.at[k].name, STR("signature")))
			at[count++] =
				(struct cloudstack_parameter){e->pairs.at[k].name, e->pairs.at[k].value};
	TRY(key_open_secret(e->c, e->config->master_key, key, &secret));
	struct result result =
		cloudstack_check_signature(e->c, at, count, secret, find_value(e, "signature"), ret_is_right);
	crypto_wipe((void *) secret.p, secret.n); /* ours, in the arena */
	return result;
}

static RESULT authenticate(struct cloudstack_call *e)
{
	struct key_owner owner = {0};
	bool is_right = false;
	struct view v;
	view_open(e->config->store, &v);
	struct result result = key_find_owner(e->c, &v, find_value(e, "apikey"), &owner);
	if (result_is_ok(result) && owner.who && is_in_time(e))
		result = is_signed(e, owner.key, &is_right);
	if (is_right)
		uses_note(e->config->uses, KIND_ACCESS_KEY, owner.key->row.id, STR("cloudstack"), STR_NONE);
	view_close(&v);
	TRY(result);
	if (!is_right)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"unable to verify user credentials and/or request signature");
	e->c->who = owner.who;
	e->call->account_number = owner.who->account_number;
	return OK;
}

/* ---- which command ---- */

static const struct api_entry *find_command(const struct api_face *face, struct str name)
{
	for (size_t k = 0; k < face->entry_count; k++)
		if (str_equal_nocase(name, str_from(face->entries[k].action->name)))
			return &face->entries[k];
	return NULL;
}

static void begin(struct api_call *core)
{
	cloudstack_call_of(core)->config = &((struct cloudstack_face *) core->face)->config;
}

static RESULT find(struct api_call *core)
{
	struct cloudstack_call *e = cloudstack_call_of(core);
	struct str form = e->call->method == HTTP_POST ? e->call->body : STR_NONE;
	if (form.n + e->call->query.n > BODY_CAP_SIZE) /* the listener, which faces share, takes more */
		return ctx_fail(e->c, ERR_TOO_LARGE, "The request has more than %d bytes of parameters",
				BODY_CAP_SIZE);
	TRY(pairs_parse(e->c, &pairs_rules, e->call->query, form, &e->pairs));
	e->command = find_value(e, "command");
	const struct api_entry *entry = find_command(core->face, e->command);
	struct result proved = authenticate(e);
	if (!api_is_within_limits(core, entry ? entry->action : NULL))
		return api_refuse_flood(core);
	if (entry)
		api_choose_action(core, entry);
	TRY(proved);
	if (entry)
		return OK;
	if (!e->command.n)
		return ctx_fail(e->c, ERR_UNSUPPORTED, "Invalid request, no command sent");
	return ctx_fail(e->c, ERR_UNSUPPORTED, "Unknown API command: %" STR_FMT,
			STR_ARG(str_slice(e->command, 0, 128)));
}

static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	request->words = GUARD_OF_EC2;
	request->has_role = identity_has(core->c->who, core->action->flags & API_WRITES ? ROLE_RIGHT_MEMBER
											: ROLE_RIGHT_READER);
	return OK;
}

static RESULT prepare(struct api_call *core)
{
	struct cloudstack_call *e = cloudstack_call_of(core);
	const struct cloudstack_action *a = cloudstack_action_of(e);
	const struct params_request request = {
		.dialect = &cloudstack_dialect,
		.body = document_of_pairs(&e->pairs, pairs_rules.form),
	};
	TRY(api_new_args(core, 1, a->args.size));
	return params_fill(e->c, &a->args, &request, e->args);
}

/* ---- answers ---- */

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct cloudstack_call *e = cloudstack_call_of(core);
	struct arena *a = e->c->arena;
	struct str name = str_lower(a, str_from(e->action->name));
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_open(&w, str_to_z(a, str_print(a, "%" STR_FMT "response", STR_ARG(name))));
	TRY(cloudstack_list(e, &w));
	json_write_close(&w);
	json_write_close(&w);
	return json_write_end(&w);
}

static const char *say_throttled(struct api_call *core)
{
	(void) core;
	return "The given user has reached his/her account api limit, please retry later.";
}

static const struct api_protocol protocol = {
	.name = "cloudstack",
	.content_type = "application/json;charset=UTF-8",
	.call_size = sizeof(struct cloudstack_call),
	.begin = begin,
	.find = find,
	.describe_permission = describe_permission,
	.prepare = prepare,
	.write = write_answer,
	.answer_problem = cloudstack_answer_problem,
	.find_code = cloudstack_find_code,
	.say_throttled = say_throttled,
};

const struct http_face cloudstack_http_face = {.name = "cloudstack",
					       .handle = api_handle_call,
					       .reject = cloudstack_reject,
					       .body_cap_size = BODY_CAP_SIZE};

RESULT cloudstack_new(struct ctx *c, const struct cloudstack_config *config,
		      struct cloudstack_face **ret_face)
{
	struct cloudstack_face *face = heap_new(struct cloudstack_face);
	if (!face)
		return ctx_no_memory(c);
	face->config = *config;
	face->core = (struct api_face){.protocol = &protocol,
				       .http = &cloudstack_http_face,
				       .store = config->store,
				       .guards = config->guards,
				       .limits = config->limits};
	api_add_action(&face->core, &cloudstack_zone_actions[0].core);
	api_add_action(&face->core, &cloudstack_offering_actions[0].core);
	api_add_action(&face->core, &cloudstack_machine_actions[0].core);
	api_sort_actions(&face->core);
	*ret_face = face;
	return OK;
}

void cloudstack_free(struct cloudstack_face *face)
{
	heap_free(face);
}
