/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's protocol: command and parameters in the query or a form, signed with an access key; JSON or
 * XML out.
 */
#include "api/cloudstack/core/cloudstack.h"

#include "api/cloudstack/core/action.h"
#include "auth/key/cloudstack_signature.h"
#include "auth/key/key_owner.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/uuid_asked.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/role.h"

/* Limits the size of parameters: each signature is tried in up to sixteen forms, and knowing a key id
 * suffices to cause that. User data of 32 KiB, CloudStack's maximum, still fit. */
enum { PARAMETERS_SIZE_MAX = 64 * 1024 };

static const struct pairs_rules pairs_rules = {
	.noun = "request", .count_max = CLOUDSTACK_PARAMETERS_MAX, .form = CS_PAIRS_FORM};

static const struct api_actions *const groups[] = {
#define GROUP(name) &cs_##name##_actions,
#include "api/cloudstack/core/action_groups.def"
#undef GROUP
};
static const struct api_groups all_groups = {groups, sizeof groups / sizeof groups[0], .ignores_case = true};

const struct cs_action *cs_find_command(const struct api_face *face, struct str name)
{
	const struct api_entry *entry = api_find_action(&face->entries, name);
	return entry ? cs_row_of(entry->action) : NULL;
}

bool cloudstack_has_path(struct str path)
{
	return str_is(path, "/client/api") || str_is(path, "/client/api/");
}

/* ---- who asks, and for what ---- */

/* Sets the format before parameters are read: failures to read them need it, too. */
static void begin(struct api_call *core)
{
	struct cs_call *e = cs_call_of(core);
	e->c->kind_words = &cs_words;
	e->is_json = str_contains(e->call->query, STR("response=json")) ||
		     str_contains(e->call->body, STR("response=json"));
}

static RESULT read_request(struct cs_call *e)
{
	static const struct api_error no_method = {ERR_UNSUPPORTED, 0, 405, "9999"};
	struct str form = e->call->method == HTTP_POST ? e->call->body : STR_NONE;
	if (e->call->method != HTTP_GET && e->call->method != HTTP_POST) {
		e->error = &no_method;
		return ctx_fail(e->c, ERR_UNSUPPORTED, "The method %" STR_FMT " is not GET or POST",
				STR_ARG(e->call->method_name));
	}
	if (form.n + e->call->query.n > PARAMETERS_SIZE_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "The request has more than %d bytes of parameters",
				PARAMETERS_SIZE_MAX);
	TRY(pairs_parse(e->c, &pairs_rules, e->call->query, form, &e->pairs));
	e->is_json = str_equal_nocase(cloudstack_find_value(&e->pairs, "response"), STR("json"));
	return OK;
}

static RESULT authenticate(struct cs_call *e)
{
	struct str key_id = cloudstack_find_value(&e->pairs, "apikey");
	if (api_take_internal_caller(&e->core))
		return OK;
	if (!key_id.n && cloudstack_find_value(&e->pairs, "sessionkey").n)
		return cs_resume_session(e);
	e->is_signed = true;
	return api_prove_key(&e->core, key_id, cloudstack_check_signature, &e->pairs);
}

/* The default role with that number in every cloud; none: another value. There is no Resource Admin, number 2. */
static uuid find_numbered_role(const struct tables *t, struct str number)
{
	static const enum role_right rights[] = {
		[1] = ROLE_RIGHT_ADMIN, [3] = ROLE_RIGHT_MANAGER, [4] = ROLE_RIGHT_MEMBER};
	size_t at = number.n == 1 && *number.p >= '1' && *number.p <= '4' ? (size_t) (*number.p - '0') : 0;
	const struct role *role = at && rights[at] ? engine_find_standard_role(t, rights[at]) : NULL;
	return role ? role->row.id : UUID_NONE;
}

static bool names_role(const struct api_action *action, struct str name)
{
	for (size_t k = 0; k < action->args.count; k++)
		if (action->args.at[k].kind == KIND_ROLE &&
		    str_equal_nocase(str_from(action->args.at[k].wire), name))
			return true;
	return false;
}

static void take_role_number(struct cs_call *e, struct pair *pair)
{
	AUTO_VIEW view = {0};
	if (pair->value.n != 1 || !names_role(e->action, pair->name))
		return;
	view_open(e->config->store, &view);
	uuid role = find_numbered_role(view.tables, pair->value);
	if (!uuid_is_none(role))
		pair->value = uuid_to_str(e->c->arena, role);
}

/* Drops repeated parameters, whose values are equal, and replaces the numbers of the root domain and of default roles by their
 * ids: CloudStack takes a row's number from before it had UUIDs, and these are the same in every cloud
 * (ParamProcessWorker.translateUuidToInternalId()). The signature, which covers the request as sent, has been checked. */
static RESULT take_parameters(struct cs_call *e)
{
	struct pair *at = arena_new_array(e->c->arena, struct pair, e->pairs.count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < e->pairs.count; k++) {
		if (count && str_equal_nocase(at[count - 1].name, e->pairs.at[k].name))
			continue;
		struct pair *pair = &at[count++];
		*pair = e->pairs.at[k];
		bool is_domain = str_equal_nocase(pair->name, STR("domainid")) ||
				 str_equal_nocase(pair->name, STR("parentdomainid"));
		if (is_domain && str_is(pair->value, "1"))
			pair->value = uuid_to_str(e->c->arena, DOMAIN_DEFAULT);
		take_role_number(e, pair);
	}
	e->pairs = (struct pairs){at, count};
	return OK;
}

static RESULT fail_command(struct cs_call *e, struct str name)
{
	static const struct api_error no_command = {ERR_MISSING, 0, 400, "9999"};
	e->error = name.n ? &cs_unknown_command : &no_command;
	return name.n ? ctx_fail(e->c, ERR_UNSUPPORTED, "Unknown API command: %" STR_FMT,
				 STR_ARG(str_slice(name, 0, 128)))
		      : ctx_fail(e->c, ERR_MISSING, "Invalid request, no command sent");
}

static RESULT find(struct api_call *core)
{
	struct cs_call *e = cs_call_of(core);
	struct result proved = read_request(e);
	struct str name = cloudstack_find_value(&e->pairs, "command");
	api_choose_action(core, api_find_action(&e->face->entries, name));
	bool is_open = e->action && e->action->flags & API_OPEN;
	if (result_is_ok(proved) && !is_open)
		proved = authenticate(e);
	TRY(api_check_limits(core, e->action, proved));
	if (!e->action)
		return fail_command(e, name);
	TRY(take_parameters(e));
	return cs_choose_account(e);
}

/* Makes the caller a member of the account for this command, which a rule of the caller's role permits. Such a role gives
 * no right in any other face. */
static RESULT take_rules(struct cs_call *e, struct guard_request *request)
{
	AUTO_VIEW view = {0};
	if (e->action->flags & (API_OPEN | API_FOR_ALL) || e->c->who->rights)
		return OK;
	view_open(e->config->store, &view);
	if (!cs_rules_permit(e, view.tables, e->action))
		return OK;
	struct identity *next = arena_new_object(e->c->arena, struct identity);
	if (!next)
		return ctx_no_memory(e->c);
	*next = *e->c->who;
	next->rights = RIGHTS_OF_MEMBER;
	e->c->who = next;
	request->has_role = true;
	return OK;
}

/* Lets an administrator of the named project run a command about projects as a root administrator does. Such a command
 * touches nothing but the project that it names, its members and its roles. */
static RESULT take_project(struct cs_call *e, struct guard_request *request, bool *ret_is_taken)
{
	AUTO_VIEW view = {0};
	uuid project = UUID_NONE;
	struct str id = STR_NONE;
	*ret_is_taken = false;
	for (size_t k = 0; k < e->action->args.count; k++)
		if (e->action->args.at[k].kind == KIND_ACCOUNT)
			id = cloudstack_find_value(&e->pairs, e->action->args.at[k].wire);
	view_open(e->config->store, &view);
	/* Callers whose role consists of rules are not elevated: rules never permit commands of root administrators. */
	if (!(e->action->flags & CS_OF_PROJECT) || e->c->who->scope != IDENTITY_ACCOUNT ||
	    !e->c->who->rights || !result_is_ok(uuid_parse_asked(id, &project)) ||
	    !cs_manages_project(view.tables, project, e->c->who->user))
		return OK;
	struct identity *next = arena_new_object(e->c->arena, struct identity);
	if (!next)
		return ctx_no_memory(e->c);
	*next = *e->c->who;
	next->rights |= RIGHT(ADMIN);
	e->c->who = next;
	*ret_is_taken = request->has_role = true;
	return OK;
}

/* Root administrator commands need that role. */
static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	struct cs_call *e = cs_call_of(core);
	AUTO_VIEW view = {0};
	bool is_taken = false;
	if (e->action->flags & CS_ADMIN && !identity_is_admin(e->c->who)) {
		TRY(take_project(e, request, &is_taken));
		return is_taken ? OK : ctx_fail(e->c, ERR_DENIED, "The command is for root administrators.");
	}
	TRY(take_rules(e, request));
	view_open(e->config->store, &view);
	return cs_check_project_role(e, view.tables, e->action);
}

static RESULT prepare(struct api_call *core)
{
	struct cs_call *e = cs_call_of(core);
	const struct params_request request = {.dialect = &cs_dialect,
					       .body = document_of_pairs(&e->pairs, pairs_rules.form)};
	TRY(api_new_args(core, 1, e->action->args.size));
	TRY(params_fill(e->c, &e->action->args, &request, e->args));
	const struct cs_action *a = cs_action_of(e);
	return a->prepare ? a->prepare(e, e->args) : OK;
}

/* ---- answers ---- */

void cs_write_time(struct json_writer *w, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE + sizeof "+0000"];
	if (!time_us)
		return;
	memcpy(strchr(clock_write_s(time_us, text), 'Z'), "+0000", sizeof "+0000");
	json_write_z(w, name, text);
}

void cs_open_response(struct cs_call *e, struct json_writer *w, const char *name)
{
	struct arena *a = e->c->arena;
	struct str text = str_print(a, "%" STR_FMT "response", STR_ARG(str_lower(a, str_from(name))));
	json_write_open(w, NULL);
	json_write_open(w, str_to_z(a, text));
}

static RESULT write_one(struct cs_call *e, const struct cs_action *a, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(cs_find_returned(e, cs_subject_of(e), &row));
	json_write_open(w, a->item ? a->item : a->shows->item);
	members_write(&e->core, w, cs_write_time, &a->shows->members, row);
	json_write_close(w);
	return OK;
}

/* Writes "success". Libcloud compares it with a text. */
static RESULT write_inner(struct cs_call *e, struct json_writer *w)
{
	const struct cs_action *a = cs_action_of(e);
	if (cs_is_async(a)) {
		cs_write_job_id(e, w);
		return OK;
	}
	if (a->answer)
		return a->answer(e, e->args, w);
	if (a->listing)
		return cs_write_list(e, w);
	if (a->shows)
		return write_one(e, a, w);
	json_write_z(w, "success", "true");
	return OK;
}

/* Digest of a JSON list. It depends on the view, the caller's rights and the parameters. */
static struct str digest(struct api_call *core)
{
	static const char *const but[] = {"signature", "signatureVersion", "expires",
					  "apiKey",    "sessionkey",       0};
	struct cs_call *e = cs_call_of(core);
	const struct identity *who = e->c->who;
	char user[UUID_TEXT_SIZE];
	uint8_t sum[SHA256_SIZE];
	if (!e->action->listing || e->action->flags & API_CHANGES_BY_TIME || !e->is_json || !who)
		return STR_NONE;
	struct str asked = pairs_digest(e->c, &e->pairs, but);
	asked = str_print(e->c->arena, "%" STR_FMT "\n%s\n%d %x %d", STR_ARG(asked),
			  uuid_write(who->user, user), (int) who->scope, who->rights, identity_is_admin(who));
	if (!asked.p)
		return STR_NONE;
	crypto_sha256(asked, sum);
	return str_encode_hex(e->c->arena, sum, sizeof sum);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct cs_call *e = cs_call_of(core);
	struct json_writer w;
	json_write_begin(&w, body);
	cs_open_response(e, &w, e->action->name);
	TRY(write_inner(e, &w));
	json_write_close(&w);
	json_write_close(&w);
	TRY(json_write_end(&w));
	return cs_end_body(e, body);
}

const struct api_protocol cloudstack_protocol = {
	.name = "cloudstack",
	.content_type = CS_JSON,
	.call_size = sizeof(struct cs_call),
	.groups = &all_groups,
	.errors = &cloudstack_errors,
	.pairs = &pairs_rules,
	.dialect = &cs_dialect,
	.keys_keep_admin = true,
	.begin = begin,
	.find = find,
	.describe_permission = describe_permission,
	.prepare = prepare,
	.begin_change = cs_begin_change,
	.end_change = cs_end_change,
	.digest = digest,
	.write = write_answer,
	.word_problem = cs_word_problem,
	.write_problem = cs_write_problem,
};
