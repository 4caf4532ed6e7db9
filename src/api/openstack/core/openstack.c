/* SPDX-License-Identifier: Apache-2.0
 * Implements the OpenStack protocol for api/core: the token identifies the caller; method, path and the
 * body's verb select the action; bodies are JSON. */
#include "api/openstack/core/openstack.h"

#include "api/core/path.h"
#include "api/openstack/core/errors.h"
#include "api/openstack/core/face.h"
#include "api/openstack/core/list.h"
#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/words.h"
#include "api/openstack/core/write.h"
#include "base/crypto.h"
#include "model/role.h"

/* ---- a new call ---- */

/* Inserts "-" as the project into Block Storage paths without a project id, which is optional there. */
static struct str with_project(struct arena *a, struct str path)
{
	struct str rest = path, version, project;
	struct ref ref;
	if (!path_next_segment(&rest, &version) || !str_is(version, "v3") ||
	    !path_next_segment(&rest, &project) || os_parse_id(project, KIND_ACCOUNT, &ref))
		return path;
	return str_print(a, "/v3/-/%" STR_FMT "/%" STR_FMT, STR_ARG(project), STR_ARG(rest));
}

/* Octavia has the same calls below "/v2.0" and "/v2". */
static struct str without_minor(struct arena *a, struct str path)
{
	struct str rest = path, version;
	if (!path_next_segment(&rest, &version) || !str_is(version, "v2.0"))
		return path;
	return str_print(a, "/v2%" STR_FMT, STR_ARG(str_slice(path, strlen("/v2.0"), path.n)));
}

/* Clients write "/v1/secrets/" where they create one, and "/v1/metric/". */
static struct str without_slash(struct str path)
{
	return path.n > 1 && path.p[path.n - 1] == '/' ? str_slice(path, 0, path.n - 1) : path;
}

/* Rewrites Compute 2.0 paths ("/v2/…") to 2.1: the calls are the same, but unknown members are ignored. */
static void read_legacy(struct os_call *e)
{
	struct str rest = e->path, version, next;
	e->is_legacy =
		e->service == OS_COMPUTE && path_next_segment(&rest, &version) && str_is(version, "v2");
	if (e->is_legacy && path_next_segment(&rest, &next))
		e->path =
			str_print(e->c->arena, "/v2.1/%" STR_FMT "/%" STR_FMT, STR_ARG(next), STR_ARG(rest));
}

static void begin(struct api_call *core)
{
	struct os_call *e = os_call_of(core);
	e->c->kind_words = &os_words;
	(void) os_service_of_path(e->call->path, &e->service, &e->path);
	if (e->service == OS_LOAD_BALANCER)
		e->path = without_minor(e->c->arena, e->path);
	if (e->service == OS_KEY_MANAGER || e->service == OS_ALARMING || e->service == OS_METRIC)
		e->path = without_slash(e->path);
	e->part = 1u << e->service;
	if (e->service == OS_VOLUME)
		e->path = with_project(e->c->arena, e->path);
	read_legacy(e);
	e->base_url = api_base_url(core);
}

/* ---- who asks, and for what ---- */

static RESULT authenticate(struct os_call *e)
{
	struct identity *who = NULL;
	struct str token = call_header(e->call, "X-Auth-Token");
	if (api_take_internal_caller(&e->core))
		return OK;
	if (str_is_empty(token))
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"The request you have made requires authentication.");
	const struct token_use use = os_describe_use(e);
	TRY(token_check(e->config->tokens, e->c, token, &use, &e->token, &who));
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

static RESULT check_route(struct os_call *e, const struct os_route *r, bool has_path)
{
	if (r)
		return OK;
	if (has_path)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("method"),
				      "The method %" STR_FMT " is not allowed for this resource.",
				      STR_ARG(e->call->method_name));
	return ctx_fail(e->c, ERR_NOT_FOUND, "The resource could not be found.");
}

static RESULT find(struct api_call *core)
{
	struct os_call *e = os_call_of(core);
	bool has_path = false;
	TRY(os_read_version(e));
	const struct os_route *r = os_find_route(e, &has_path);
	const struct api_action *action = r ? r->entry.action : NULL;
	bool is_open = action && action->flags & API_OPEN &&
		       !(action->flags & OS_TOKEN_IF_SENT && call_header(e->call, "X-Auth-Token").n);
	struct result proved = is_open ? OK : authenticate(e);
	if (e->c->who || !result_is_ok(proved))
		TRY(api_check_limits(core, action, proved));
	TRY(check_route(e, r, has_path));
	if (!(action->flags & OS_RAW_BODY))
		TRY(os_parse_body(e));
	return os_choose_route(e, r);
}

static bool is_upload(struct api_call *core)
{
	struct os_call *e = os_call_of(core);
	bool has_path = false;
	const struct os_route *r = result_is_ok(os_read_version(e)) ? os_find_route(e, &has_path) : NULL;
	return r && r->entry.action->flags & OS_UPLOAD;
}

/* ---- who may ---- */

/* Requires a role, or a policy that allows the action. Account policies never grant administrator rights. */
static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	struct os_call *e = os_call_of(core);
	unsigned flags = e->action->flags;
	bool is_scoped = !uuid_is_none(e->c->who->account) || flags & OS_UNSCOPED ||
			 e->service == OS_IDENTITY || os_is_admin(e);
	if (!is_scoped || (flags & OS_ADMIN && !os_is_admin(e)))
		return ctx_fail(e->c, ERR_DENIED, "Policy doesn't allow %s to be performed.",
				e->action->permit);
	if (e->service == OS_IDENTITY)
		TRY(os_check_read_policy(e));
	request->words = GUARD_OF_OPENSTACK;
	request->has_role =
		!(flags & API_WRITES) || flags & OS_UNSCOPED || identity_has(e->c->who, RIGHT_MEMBER);
	return OK;
}

/* Records the credential and, for calls recorded from the beginning, the ids in the path. */
static void describe_audit(struct api_call *core)
{
	struct os_call *e = os_call_of(core);
	const struct pairs *path = &e->request.path;
	bool is_late = e->audited->does & AUDIT_WHEN_SAID;
	if (e->c->who) {
		struct str by = audit_write_credential(e->c->arena, e->c->who);
		struct str audit = os_write_audit_id(e->c->arena, e->token.audit);
		e->audit->record.texts[AUDIT_CREDENTIAL] =
			str_print(e->c->arena, "token:%" STR_FMT "%s%" STR_FMT, STR_ARG(audit),
				  by.n ? " " : "", STR_ARG(by));
	}
	for (size_t k = 0; !is_late && k < path->count; k++)
		audit_add_subject(e->audit, str_to_z(e->c->arena, path->at[k].name), path->at[k].value);
}

/* ---- answers ---- */

static RESULT write_members(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_action *a = os_action_of(e);
	if (a->shows.listing)
		return os_write_shown(e, args, w);
	return a->answer ? a->answer(e, args, w) : os_list(e, a->list, w);
}

static RESULT write_bulk(struct os_call *e, struct json_writer *w)
{
	json_write_open_list(w, os_write_plural(e->c->arena, os_action_of(e)->item));
	for (size_t k = 0; k < e->arg_count; k++) {
		json_write_open(w, NULL);
		TRY(write_members(e, (char *) e->args + k * e->arg_size, w));
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct os_call *e = os_call_of(core);
	const struct os_action *a = os_action_of(e);
	struct json_writer w;
	json_write_begin(&w, body);
	if (a->flags & OS_IN_PLACE) {
		TRY(write_members(e, e->args, &w));
		return json_write_end(&w);
	}
	json_write_open(&w, NULL);
	if (e->is_bulk) {
		TRY(write_bulk(e, &w));
	} else {
		if (a->item)
			json_write_open(&w, a->item);
		TRY(write_members(e, e->args, &w));
		if (a->item)
			json_write_close(&w);
	}
	json_write_close(&w);
	return json_write_end(&w);
}

/* Digest of a list's request. Together with the view, the caller and the query determine the answer. */
static struct str digest(struct api_call *core)
{
	struct os_call *e = os_call_of(core);
	const struct os_action *a = os_action_of(e);
	const struct identity *who = e->c->who;
	char user[UUID_TEXT_SIZE];
	if (!a->list || a->answer || !who)
		return STR_NONE;
	struct str asked =
		str_print(e->c->arena, "%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT "\n%d\n%s\n%d %x",
			  STR_ARG(e->call->path), STR_ARG(e->call->query), STR_ARG(e->base_url),
			  e->request.version, uuid_write(who->user, user), (int) who->scope, who->rights);
	if (!asked.p)
		return STR_NONE;
	uint8_t sum[SHA256_SIZE];
	crypto_sha256(asked, sum);
	return str_encode_hex(e->c->arena, sum, sizeof sum);
}

static void set_headers(struct api_call *core)
{
	os_set_headers(os_call_of(core));
}

/* Throttled calls are rejected before they are examined, so they leave no audit record. */
static bool is_unrecorded(struct result result)
{
	return result.code == ERR_THROTTLED;
}

const struct api_protocol openstack_protocol = {
	.name = "openstack",
	.content_type = "application/json",
	.face_size = sizeof(struct openstack_face),
	.call_size = sizeof(struct os_call),
	.errors = &os_errors,
	.open = os_sum_routes,
	.begin = begin,
	.find = find,
	.uploads_by = HTTP_PUT,
	.is_upload = is_upload,
	.describe_permission = describe_permission,
	.describe_audit = describe_audit,
	.prepare = os_prepare,
	.begin_change = os_begin_change,
	.end_request = os_end_request,
	.set_headers = set_headers,
	.digest = digest,
	.write = write_answer,
	.word_problem = os_word_problem,
	.write_problem = os_write_problem,
	.is_unrecorded = is_unrecorded,
};
