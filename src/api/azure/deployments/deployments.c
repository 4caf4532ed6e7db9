/* SPDX-License-Identifier: Apache-2.0
 * Deployments of a resource group or subscription: create, show, cancel, validate, what-if. Source: Azure
 * REST API reference, "Deployments" and "Deployment Operations", 2022-09-01.
 */
#include "api/azure/deployments/deployments.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/uuid_asked.h"
#include "store/deployment.h"
#include "store/deployment_operation.h"

struct deployment_args {
	struct deployment_wish wish; /* first member: passed to the operation */
	struct template_place place;
	struct str changes; /* result of what-if */
};
struct target_args {
	struct deployment_target wish; /* first member: passed to the operation */
};

/* ---- making one ---- */

/* Lists the resources of the template as steps, in the arena. */
static RESULT list_steps(struct az_call *e, struct template *t, struct deployment_wish *wish)
{
	struct deployment_step *steps =
		arena_new_array(e->c->arena, struct deployment_step, template_count(t) + 1);
	if (!steps)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < template_count(t); k++) {
		const struct template_resource *r = template_at(t, k);
		steps[k] = (struct deployment_step){
			.act = r->is_existing ? DEPLOYMENT_OPERATION_ACT_READ
					      : DEPLOYMENT_OPERATION_ACT_CREATE,
			.target = str_copy(e->c->arena,
					   r->id), /* copied, because the template is freed before the wish */
			.target_type = str_copy(e->c->arena, r->type),
			.target_name = str_copy(e->c->arena, r->name),
			.version = str_copy(e->c->arena, r->version),
			.is_left_out = r->is_left_out};
		if (r->type.n > 512 || r->name.n > 1024 || r->version.n > 64)
			return ctx_fail(e->c, ERR_INVALID,
					"The name of the template resource '%" STR_FMT
					"' is too long.", /* guessed */
					STR_ARG(str_slice(r->name, 0, 128)));
	}
	wish->steps = steps;
	wish->step_count = template_count(t);
	return OK;
}

static RESULT check_bodies(struct template *t)
{
	json_t *made = NULL;
	for (size_t k = 0; k < template_count(t); k++)
		if (!template_at(t, k)->is_left_out)
			TRY(template_make_body(t, k, true, &made));
	return OK;
}

/* Stores the parameters' values: defaults may be times or random. */
static RESULT keep_parameters(struct az_call *e, struct template *t, struct deployment *row)
{
	json_t *all = NULL, *shown = NULL;
	struct str text, aad = uuid_to_str(e->c->arena, row->row.id);
	TRY(template_make_parameters(t, true, &all));
	TRY(template_make_parameters(t, false, &shown));
	TRY(deployment_write_json(e->c, all, &text));
	TRY(deployment_write_json(e->c, shown, &row->shown_parameters));
	if (e->bearer.session.n)
		TRY(crypto_seal(e->c, e->config->master_key, aad, e->bearer.session, &row->session));
	return crypto_seal(e->c, e->config->master_key, aad, text, &row->parameters);
}

/* Fills the wish from a valid template. */
static RESULT fill(struct az_call *e, struct deployment_args *a, const struct deployment_source *s,
		   struct template *t)
{
	struct deployment *row = &a->wish.row;
	TRY(deployment_write_json(e->c, s->template, &row->template));
	TRY(list_steps(e, t, &a->wish));
	TRY(check_bodies(t));
	TRY(keep_parameters(e, t, row));
	row->tags = e->put.tags;
	if (row->template.n > DEPLOYMENT_TEMPLATE_MAX || row->parameters.n > DEPLOYMENT_TEXT_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE,
				"The template has more than %d bytes, or its parameters more than %d.",
				DEPLOYMENT_TEMPLATE_MAX, DEPLOYMENT_TEXT_MAX);
	row->is_complete = s->is_complete;
	return OK;
}

static RESULT answer_changes(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct deployment_args *a = args;
	(void) e;
	json_write_z(w, "status", "Succeeded");
	json_write_open(w, "properties");
	json_write_raw(w, "changes", a->changes);
	json_write_close(w);
	return OK;
}

static RESULT open_and_fill(struct az_call *e, struct deployment_args *a, const struct deployment_source *s)
{
	AUTO(template) t = NULL;
	e->body = s->root;
	struct result tags = az_read_tags(e);
	e->body = NULL; /* now owned by the source */
	TRY(tags);
	const struct template_wish wish = {
		.place = a->place, .document = s->template, .parameters = s->parameters};
	TRY(template_open(e->c, &wish, &t));
	TRY(fill(e, a, s, t));
	if (!(az_action_of(e)->flags & API_WRITES)) /* validate and what-if */
		TRY(deployment_preflight(e, t, &a->wish));
	return az_action_of(e)->answer == answer_changes
		       ? deployment_find_changes(e, s, t, &a->wish, &a->changes)
		       : OK;
}

/* Runs on a lane: evaluating a template may take longer than an HTTP thread should be held. */
static RESULT work(struct work_item *w)
{
	struct az_call *e = az_call_of(w->arg);
	struct deployment_source s;
	TRY(deployment_read_source(e, &s));
	struct result result = open_and_fill(e, e->args, &s);
	json_decref(s.root);
	if (result_is_ok(result))
		e->error = NULL;
	return result;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct deployment_args *a = args;
	struct deployment *row = &a->wish.row;
	TRY(deployment_find_place(e, &a->place));
	TRY(az_check_group_stays(e));
	*row = (struct deployment){.row.id = id_new(KIND_DEPLOYMENT),
				   .account = e->c->who->account,
				   .key_id = e->bearer.key_id,
				   .certificate = e->bearer.certificate,
				   .tenant = e->bearer.tenant,
				   .proof = e->bearer.audit,
				   .client = e->call->peer,
				   .is_over_tls = e->call->is_tls,
				   .proved_us = e->bearer.issued_us,
				   .resource_group = a->place.group,
				   .name = a->place.deployment,
				   .location = a->place.group_location,
				   .correlation = uuid_random()};
	return OK;
}

/* ---- a template's hash ---- */

/* templateHash: stable for the same text, but not Azure's algorithm. */
static struct str make_hash(struct az_call *e, struct str template)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(template, digest);
	return str_encode_hex(e->c->arena, digest, 8);
}

struct hash_args {
	struct str template;
};

static RESULT prepare_hash(struct az_call *e, void *args)
{
	struct hash_args *a = args;
	return deployment_write_json(e->c, e->body, &a->template);
}

static RESULT answer_hash(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct hash_args *a = args;
	json_write_text(w, "minifiedTemplate", a->template);
	json_write_text(w, "templateHash", make_hash(e, a->template));
	return OK;
}

/* ---- shown ---- */

static void write_raw(struct json_writer *w, const char *name, struct str json)
{
	if (json.n)
		json_write_raw(w, name, json);
}

static void write_made(struct az_call *e, struct json_writer *w, const struct deployment *d)
{
	const struct deployment_operation *o =
		deployment_operation_first_by_deployment(az_tables(e), d->row.id);
	json_write_open_list(w, "outputResources");
	for (; o; o = deployment_operation_next_by_deployment(az_tables(e), o)) {
		if (o->act != DEPLOYMENT_OPERATION_ACT_CREATE ||
		    o->state != DEPLOYMENT_OPERATION_STATE_SUCCEEDED)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "id", o->target);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_properties(struct az_call *e, struct json_writer *w, const struct deployment *d)
{
	int64_t until_us = d->ended_us ? d->ended_us : clock_now_us();
	json_write_open(w, "properties");
	json_write_text(w, "templateHash", make_hash(e, d->template));
	write_raw(w, "parameters", d->shown_parameters);
	json_write_z(w, "mode", d->is_complete ? "Complete" : "Incremental");
	json_write_z(w, "provisioningState", deployment_word(d));
	az_write_time(w, "timestamp", d->ended_us ? d->ended_us : d->row.updated_us);
	json_write_text(w, "duration", deployment_write_duration(e->c->arena, until_us - d->row.created_us));
	json_write_text(w, "correlationId", uuid_to_str(e->c->arena, d->correlation));
	json_write_open_list(w, "providers");
	json_write_close_list(w);
	json_write_open_list(w, "dependencies");
	json_write_close_list(w);
	write_raw(w, "outputs", d->outputs);
	write_made(e, w, d);
	write_raw(w, "error", d->problem);
	json_write_close(w);
}

static void write_deployment(struct az_call *e, struct json_writer *w, const struct deployment *d)
{
	json_write_text(w, "id", deployment_id_of(e->c->arena, d));
	json_write_text(w, "name", d->name);
	json_write_z(w, "type", "Microsoft.Resources/deployments");
	if (!d->resource_group.n)
		json_write_text(w, "location", d->location);
	if (d->tags.count) {
		json_write_open(w, "tags");
		for (size_t k = 0; k < d->tags.count; k++) {
			json_write_key(w, d->tags.at[k].key);
			json_write_text(w, NULL, d->tags.at[k].value);
		}
		json_write_close(w);
	}
	write_properties(e, w, d);
}

/* Sets the polling headers while the deployment is active. */
static void set_status_headers(struct az_call *e, const struct deployment *d)
{
	struct str version = str_encode_url(e->c->arena, az_query_value(e, "api-version"), false);
	call_set_answer_header(
		e->call, "Azure-AsyncOperation",
		str_print(e->c->arena,
			  "%" STR_FMT "%" STR_FMT "/operationStatuses/%" STR_FMT "?api-version=%" STR_FMT,
			  STR_ARG(e->base_url), STR_ARG(deployment_id_of(e->c->arena, d)),
			  STR_ARG(uuid_to_str(e->c->arena, d->correlation)), STR_ARG(version)));
	call_set_answer_header(e->call, "Retry-After", STR("1"));
}

static RESULT answer_made(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct deployment_args *a = args;
	const struct row *row = NULL;
	TRY(az_find_returned(e, a->wish.deployment, &row));
	e->status = a->wish.is_new ? 201 : 200;
	set_status_headers(e, deployment_of(row));
	write_deployment(e, w, deployment_of(row));
	return OK;
}

static RESULT answer_one(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct deployment *d = NULL;
	(void) args;
	TRY(deployment_find_named(e, &d));
	write_deployment(e, w, d);
	return OK;
}

static RESULT check_one(struct az_call *e, void *args)
{
	const struct deployment *d = NULL;
	(void) args;
	TRY(deployment_find_named(e, &d));
	e->status = 204;
	return OK;
}

static RESULT answer_list(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str group = str_lower(e->c->arena, az_path_value(e, "resourceGroupName"));
	(void) args;
	TRY(az_find_group(e));
	json_write_open_list(w, "value");
	const struct deployment *d = deployment_first_by_account(az_tables(e), e->c->who->account);
	for (; d; d = deployment_next_by_account(az_tables(e), d)) {
		if (!str_equal(d->group_key, group))
			continue;
		json_write_open(w, NULL);
		write_deployment(e, w, d);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- cancelled, deleted ---- */

static const struct api_error cannot_cancel = {ERR_STATE, 0, 409, "DeploymentCannotBeCancelled"};

static RESULT prepare_target(struct az_call *e, void *args)
{
	struct target_args *a = args;
	const struct deployment *d = NULL;
	TRY(deployment_find_named(e, &d));
	a->wish.deployment = d->row.id;
	e->status = 204;
	return OK;
}

static RESULT prepare_cancel(struct az_call *e, void *args)
{
	const struct deployment *d = NULL;
	TRY(deployment_find_named(e, &d));
	e->error = d->ended_us ? &cannot_cancel : NULL;
	if (d->ended_us)
		return ctx_fail(e->c, ERR_STATE,
				"The deployment '%" STR_FMT
				"' cannot be cancelled because its provisioning state is '%s'.", /* guessed */
				STR_ARG(d->name), deployment_word(d));
	return prepare_target(e, args);
}

static RESULT prepare_delete(struct az_call *e, void *args)
{
	const struct api_error *before = e->error;
	struct result found = prepare_target(e, args);
	if (found.code != ERR_NOT_FOUND || e->error == &az_no_group)
		return found;
	e->error = before;
	ctx_clear_problem(e->c);
	e->skips_operation = true;
	e->status = 204;
	return OK;
}

/* ---- checked ---- */

static void write_validated(struct az_call *e, struct json_writer *w, const struct deployment_args *a)
{
	json_write_open_list(w, "validatedResources");
	for (size_t k = 0; k < a->wish.step_count; k++) {
		const struct deployment_step *s = &a->wish.steps[k];
		if (s->is_left_out || s->act != DEPLOYMENT_OPERATION_ACT_CREATE)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "id", s->target);
		json_write_close(w);
	}
	json_write_close_list(w);
	(void) e;
}

static RESULT answer_validated(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct deployment_args *a = args;
	const struct deployment *d = &a->wish.row;
	json_write_text(w, "id", deployment_id_of(e->c->arena, d));
	json_write_text(w, "name", d->name);
	json_write_z(w, "type", "Microsoft.Resources/deployments");
	json_write_open(w, "properties");
	write_raw(w, "parameters", d->shown_parameters);
	json_write_z(w, "mode", d->is_complete ? "Complete" : "Incremental");
	json_write_z(w, "provisioningState", "Succeeded");
	az_write_time(w, "timestamp", clock_now_us());
	json_write_text(w, "duration", deployment_write_duration(e->c->arena, 0));
	json_write_text(w, "correlationId", uuid_to_str(e->c->arena, d->correlation));
	json_write_open_list(w, "providers");
	json_write_close_list(w);
	json_write_open_list(w, "dependencies");
	json_write_close_list(w);
	write_validated(e, w, a);
	json_write_close(w);
	return OK;
}

static RESULT answer_template(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct deployment *d = NULL;
	(void) args;
	TRY(deployment_find_named(e, &d));
	write_raw(w, "template", d->template);
	return OK;
}

/* ---- how far it is ---- */

/* Answers the polling of clients. */
static RESULT answer_status(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct deployment *d = NULL;
	(void) args;
	TRY(deployment_find_named(e, &d));
	if (!d->ended_us)
		call_set_answer_header(e->call, "Retry-After", STR("1"));
	json_write_z(w, "status", deployment_word(d));
	write_raw(w, "error", d->problem);
	return OK;
}

static const char *status_word(int64_t status)
{
	static const struct {
		int64_t status;
		const char *word;
	} words[] = {{200, "OK"},        {201, "Created"},    {202, "Accepted"},
		     {204, "NoContent"}, {400, "BadRequest"}, {403, "Forbidden"},
		     {404, "NotFound"},  {409, "Conflict"},   {412, "PreconditionFailed"}};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (words[k].status == status)
			return words[k].word;
	return status >= 500 ? "InternalServerError" : "BadRequest";
}

static const char *state_word(const struct deployment_operation *o)
{
	static const char *const words[] = {[DEPLOYMENT_OPERATION_STATE_ASKED] = "Running",
					    [DEPLOYMENT_OPERATION_STATE_SUCCEEDED] = "Succeeded",
					    [DEPLOYMENT_OPERATION_STATE_FAILED] = "Failed"};
	return words[o->state];
}

static void write_target(struct json_writer *w, const struct deployment_operation *o)
{
	json_write_open(w, "targetResource");
	json_write_text(w, "id", o->target);
	json_write_text(w, "resourceType", o->target_type);
	json_write_text(w, "resourceName", o->target_name);
	json_write_close(w);
}

static void write_operation(struct az_call *e, struct json_writer *w, const struct deployment *d,
			    const struct deployment_operation *o)
{
	static const char *const acts[] = {[DEPLOYMENT_OPERATION_ACT_CREATE] = "Create",
					   [DEPLOYMENT_OPERATION_ACT_READ] = "Read",
					   [DEPLOYMENT_OPERATION_ACT_DELETE] = "Delete"};
	struct str id = uuid_to_str(e->c->arena, o->row.id);
	int64_t until_us = o->ended_us ? o->ended_us : clock_now_us();
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT "/operations/%" STR_FMT,
				  STR_ARG(deployment_id_of(e->c->arena, d)), STR_ARG(id)));
	json_write_text(w, "operationId", id);
	json_write_open(w, "properties");
	json_write_z(w, "provisioningOperation", acts[o->act]);
	json_write_z(w, "provisioningState", state_word(o));
	az_write_time(w, "timestamp", o->ended_us ? o->ended_us : o->begun_us);
	json_write_text(w, "duration", deployment_write_duration(e->c->arena, until_us - o->begun_us));
	json_write_text(w, "trackingId", id);
	json_write_z(w, "statusCode", status_word(o->status));
	if (o->problem.n) {
		json_write_open(w, "statusMessage");
		json_write_raw(w, "error", o->problem);
		json_write_close(w);
	}
	write_target(w, o);
	json_write_close(w);
}

/* Lists only resources whose request was sent. */
static RESULT answer_operations(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct deployment *d = NULL;
	(void) args;
	TRY(deployment_find_named(e, &d));
	const struct deployment_operation *o =
		deployment_operation_first_by_deployment(az_tables(e), d->row.id);
	json_write_open_list(w, "value");
	for (; o; o = deployment_operation_next_by_deployment(az_tables(e), o)) {
		if (!state_word(o))
			continue;
		json_write_open(w, NULL);
		write_operation(e, w, d, o);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT answer_operation(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct deployment *d = NULL;
	uuid id = UUID_NONE;
	struct str text = az_path_value(e, "operationId");
	(void) args;
	TRY(deployment_find_named(e, &d));
	const struct deployment_operation *o = result_is_ok(uuid_parse_asked(text, &id))
						       ? deployment_operation_find(az_tables(e), id)
						       : NULL;
	if (!o || !uuid_equal(o->deployment, d->row.id) || !state_word(o))
		return ctx_fail(e->c, ERR_NOT_FOUND,
				"The deployment operation '%" STR_FMT "' could not be found.",
				STR_ARG(str_slice(text, 0, 64)));
	write_operation(e, w, d, o);
	return OK;
}

/* ---- rows: the same below a group and below a subscription ---- */

#define OF(scope) scope "/providers/Microsoft.Resources/deployments"
#define ONE_OF(scope) OF(scope) "/{deploymentName}"
#define READ(verb, where, called, ...)                                                                       \
	{                                                                                                    \
		verb, where, .name = (called), .permit = "ec2:DescribeDeployments", .type = AZ_DEPLOYMENTS,  \
			     __VA_ARGS__                                                                     \
	}
#define CHANGE(verb, where, called, action, T, ...)                                                          \
	{                                                                                                    \
		verb, where, .name = (called), .permit = (action), .flags = API_WRITES,                      \
			     .type = AZ_DEPLOYMENTS, .args = {0, 0, sizeof(T)}, __VA_ARGS__                  \
	}
#define DEPLOYMENT_CALLS(scope, at)                                                                          \
	{HTTP_PUT,                                                                                           \
	 ONE_OF(scope),                                                                                      \
	 .name = "Deployments_CreateOrUpdate" at,                                                            \
	 .permit = "ec2:CreateDeployment",                                                                   \
	 .flags = API_WRITES | AZ_RAW,                                                                       \
	 .type = AZ_DEPLOYMENTS,                                                                             \
	 .args = {0, 0, sizeof(struct deployment_args)},                                                     \
	 .prepare = prepare,                                                                                 \
	 .work = work,                                                                                       \
	 .operation = engine_create_deployment_run,                                                          \
	 .returns = KIND_DEPLOYMENT,                                                                         \
	 .answer = answer_made,                                                                              \
	 .doc = "Deploys a template."},                                                                      \
		{HTTP_POST,                                                                                  \
		 ONE_OF(scope) "/validate",                                                                  \
		 .name = "Deployments_Validate" at,                                                          \
		 .permit = "ec2:CreateDeployment",                                                           \
		 .flags = AZ_RAW,                                                                            \
		 .type = AZ_DEPLOYMENTS,                                                                     \
		 .args = {0, 0, sizeof(struct deployment_args)},                                             \
		 .prepare = prepare,                                                                         \
		 .work = work,                                                                               \
		 .answer = answer_validated,                                                                 \
		 .doc = "Checks whether a template can be deployed."},                                       \
		{HTTP_POST,                                                                                  \
		 ONE_OF(scope) "/whatIf",                                                                    \
		 .name = "Deployments_WhatIf" at,                                                            \
		 .permit = "ec2:CreateDeployment",                                                           \
		 .flags = AZ_RAW,                                                                            \
		 .type = AZ_DEPLOYMENTS,                                                                     \
		 .args = {0, 0, sizeof(struct deployment_args)},                                             \
		 .prepare = prepare,                                                                         \
		 .work = work,                                                                               \
		 .answer = answer_changes,                                                                   \
		 .doc = "Returns the changes that a deployment of a template would make."},                  \
		READ(HTTP_GET, OF(scope), "Deployments_List" at, .answer = answer_list,                      \
		     .flags = API_CHANGES_BY_TIME, .doc = "Lists the stored deployments."),                  \
		READ(HTTP_GET, ONE_OF(scope), "Deployments_Get" at, .answer = answer_one,                    \
		     .flags = API_CHANGES_BY_TIME, .doc = "Gets one deployment and its result."),            \
		READ(HTTP_HEAD, ONE_OF(scope), "Deployments_CheckExistence" at, .prepare = check_one,        \
		     .doc = "Checks whether a deployment exists."),                                          \
		READ(HTTP_POST, ONE_OF(scope) "/exportTemplate", "Deployments_ExportTemplate" at,            \
		     .answer = answer_template, .doc = "Returns the template of a deployment."),             \
		READ(HTTP_GET, ONE_OF(scope) "/operationStatuses/{operationId}", "Deployments_GetStatus" at, \
		     .answer = answer_status, .flags = API_CHANGES_BY_TIME,                                  \
		     .doc = "Gets the progress of a deployment."),                                           \
		READ(HTTP_GET, ONE_OF(scope) "/operations", "DeploymentOperations_List" at,                  \
		     .answer = answer_operations, .flags = API_CHANGES_BY_TIME,                              \
		     .doc = "Lists the operations of a deployment, one for each resource."),                 \
		READ(HTTP_GET, scope "/deployments/{deploymentName}/operations",                             \
		     "DeploymentOperations_ListWithoutProvider" at, .answer = answer_operations,             \
		     .flags = API_CHANGES_BY_TIME,                                                           \
		     .doc = "Lists the operations of a deployment, by az's older path."),                    \
		READ(HTTP_GET, scope "/deployments/{deploymentName}/operations/{operationId}",               \
		     "DeploymentOperations_GetWithoutProvider" at, .answer = answer_operation,               \
		     .flags = API_CHANGES_BY_TIME,                                                           \
		     .doc = "Gets one operation of a deployment, by az's older path."),                      \
		READ(HTTP_GET, ONE_OF(scope) "/operations/{operationId}", "DeploymentOperations_Get" at,     \
		     .answer = answer_operation, .flags = API_CHANGES_BY_TIME,                               \
		     .doc = "Gets one operation of a deployment."),                                          \
		CHANGE(HTTP_POST, ONE_OF(scope) "/cancel", "Deployments_Cancel" at, "ec2:CancelDeployment",  \
		       struct target_args, .prepare = prepare_cancel,                                        \
		       .operation = engine_cancel_deployment_run, .returns = API_RETURNS_NOTHING_STORED,     \
		       .doc = "Cancels a running deployment."),                                              \
		CHANGE(HTTP_DELETE, ONE_OF(scope), "Deployments_Delete" at, "ec2:DeleteDeployment",          \
		       struct target_args, .prepare = prepare_delete,                                        \
		       .operation = engine_delete_deployment_run, .returns = API_RETURNS_NOTHING_STORED,     \
		       .doc = "Deletes a deployment from the history. Its resources stay.")

static const struct az_action actions[] = {
	DEPLOYMENT_CALLS(AZ_GROUP, ""),
	DEPLOYMENT_CALLS(AZ_SUBSCRIPTION, "AtSubscriptionScope"),
	{HTTP_POST, "/providers/Microsoft.Resources/calculateTemplateHash",
	 .name = "Deployments_CalculateTemplateHash", .reads_body = true, .permit = "ec2:DescribeDeployments",
	 .flags = API_FOR_ALL | AZ_TENANT, .type = AZ_DEPLOYMENTS, .args = {0, 0, sizeof(struct hash_args)},
	 .prepare = prepare_hash, .answer = answer_hash,
	 .doc = "Calculates the hash of a template, by an algorithm of Dari's own."},
};
const struct api_actions az_deployment_actions = API_ACTIONS(actions);
