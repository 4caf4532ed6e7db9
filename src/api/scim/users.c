/* SPDX-License-Identifier: Apache-2.0
 * Actions on users of the caller's domain. PUT and PATCH compare two documents of a user, and change what differs; a request that
 * changes nothing leaves the version as it was. Names are unique whatever their case, as the schema says. Keystone's are unique
 * with their case alone, so that the engine compares as the call asks for. */
#include "api/scim/internal.h"
#include "auth/sign_in/password.h"
#include "engine/people/user.h"
#include "store/user.h"

struct user_args {
	struct user_wish create;
	struct user_change change;
	struct user_target remove;
	struct str name, email, password;
	uuid user;
};

/* ---- reading a document ---- */

static struct str text_of(struct scim_call *e, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return str_copy(e->c->arena, (struct str){json_string_value(value), json_string_length(value)});
}

/* The primary address, else the first one. */
static struct str find_email(struct scim_call *e, const json_t *document)
{
	const json_t *emails = json_object_get(document, "emails");
	const json_t *found = json_array_get(emails, 0);
	for (size_t k = 0; k < json_array_size(emails); k++)
		if (json_is_true(json_object_get(json_array_get(emails, k), "primary")))
			found = json_array_get(emails, k);
	return text_of(e, found, "value");
}

static RESULT read_names(struct scim_call *e, const json_t *document, struct user_args *a)
{
	a->name = text_of(e, document, "userName");
	a->email = find_email(e, document);
	a->password = text_of(e, document, "password");
	return a->name.n ? OK : ctx_fail_field(e->c, ERR_INVALID, STR("userName"), "userName is required.");
}

static enum choice read_active(const json_t *document)
{
	const json_t *active = json_object_get(document, "active");
	return !active ? CHOICE_DEFAULT : json_is_true(active) ? CHOICE_YES : CHOICE_NO;
}

/* ---- work ---- */

static RESULT hash_password(struct work_item *w)
{
	struct scim_call *e = w->arg;
	struct user_args *a = e->args;
	struct str hash = STR_NONE;
	TRY(password_hash(e->config->passwords, e->c, a->password, &hash));
	a->create.password_hash = a->change.password_hash = hash;
	return OK;
}

/* ---- creating ---- */

static RESULT prepare_create(struct scim_call *e, void *args)
{
	struct user_args *a = args;
	json_t *taken = NULL;
	TRY(scim_take_resource(e, e->body, &taken));
	AUTO_JSON *document = taken;
	TRY(read_names(e, document, a));
	a->create.ignores_case = true;
	a->create.domain = ref_by_id(KIND_DOMAIN, e->domain);
	a->create.name = a->name;
	a->create.email = a->email;
	a->create.enabled = read_active(document);
	e->skips_work = !a->password.n;
	return scim_list_changed(e, NULL, document, &a->create.extra);
}

static RESULT run_create(struct op *op, void *args)
{
	struct user_args *a = args;
	return engine_create_user(op, &a->create);
}

static RESULT answer_create(struct scim_call *e, const void *args, struct json_writer *w)
{
	e->status = 201;
	return scim_answer_row(e, ((const struct user_args *) args)->create.user, w);
}

/* ---- changing ---- */

/* A directory sets name and address again at each refresh, and proves the password. */
static RESULT check_source(struct scim_call *e, const struct user *user)
{
	return user->directory_id.n
		       ? ctx_fail_kind(e->c, ERR_PROTECTED, KIND_USER,
				       "The user belongs to an LDAP directory, and is changed there.")
		       : OK;
}

static RESULT take_change(struct scim_call *e, const struct user *user, const json_t *before,
			  const json_t *after, struct user_args *a)
{
	enum choice active = read_active(after);
	TRY(read_names(e, after, a));
	TRY(scim_list_changed(e, before, after, &a->change.extra));
	a->user = user->row.id;
	a->change.user = ref_by_id(KIND_USER, a->user);
	a->change.ignores_case = true;
	if (!str_equal(a->name, user->name))
		a->change.name = &a->name;
	if (!str_equal(a->email, user->email))
		a->change.email = &a->email;
	if (active != CHOICE_DEFAULT && (active == CHOICE_YES) != user->enabled)
		a->change.enabled = active;
	e->skips_work = !a->password.n;
	e->skips_operation = e->skips_work && !a->change.name && !a->change.email && !a->change.extra.count &&
			     a->change.enabled == CHOICE_DEFAULT;
	return e->skips_operation ? OK : check_source(e, user);
}

static RESULT prepare_change(struct scim_call *e, struct user_args *a)
{
	struct scim_reader r = {.e = e, .tables = scim_tables(e)};
	json_t *taken = NULL;
	TRY(scim_find_row(e, &r.row));
	TRY(scim_check_version(e, e->c, r.row));
	AUTO_JSON *before = scim_make_document(&r);
	if (e->call->method == HTTP_PUT)
		TRY(scim_take_resource(e, e->body, &taken));
	else
		taken = json_deep_copy(before);
	AUTO_JSON *after = taken;
	if (!before || !after)
		return ctx_no_memory(e->c);
	if (e->call->method == HTTP_PATCH)
		TRY(scim_patch(e, after, NULL, NULL));
	return take_change(e, user_of(r.row), before, after, a);
}

struct user_change_call {
	struct user_args args;
	struct scim_call *e; /* for If-Match, which counts when the change runs */
};

static RESULT check_present_version(struct op *op, struct scim_call *e, uuid id)
{
	const struct user *user = user_find(op->head, id);
	return user ? scim_check_version(e, op->ctx, &user->row) : OK;
}

static RESULT run_change(struct op *op, void *args)
{
	struct user_change_call *a = args;
	TRY(check_present_version(op, a->e, a->args.user));
	return engine_update_user(op, &a->args.change);
}

static RESULT prepare_call(struct scim_call *e, void *args)
{
	struct user_change_call *a = args;
	a->e = e;
	return prepare_change(e, &a->args);
}

static RESULT answer_change(struct scim_call *e, const void *args, struct json_writer *w)
{
	return scim_answer_row(e, ((const struct user_change_call *) args)->args.user, w);
}

/* ---- reading and deleting ---- */

static RESULT prepare_delete(struct scim_call *e, void *args)
{
	struct user_change_call *a = args;
	const struct row *row = NULL;
	TRY(scim_find_row(e, &row));
	TRY(scim_check_version(e, e->c, row));
	TRY(check_source(e, user_of(row)));
	a->e = e;
	a->args.user = row->id;
	a->args.remove.user = ref_by_id(KIND_USER, row->id);
	return OK;
}

static RESULT run_delete(struct op *op, void *args)
{
	struct user_change_call *a = args;
	TRY(check_present_version(op, a->e, a->args.user));
	return engine_delete_user(op, &a->args.remove);
}

static const struct scim_action rows[] = {
	{HTTP_GET, "Users", .name = "listUsers", .permit = "identity:list_users",
	 .args = {.size = sizeof(struct scim_list_args)}, .work = scim_list_work,
	 .doc = "Lists the domain's users, by a filter, in pages.", .type = &scim_user_type,
	 .prepare = scim_prepare_list, .answer = scim_answer_list},
	{HTTP_POST, "Users/.search", .name = "searchUsers", .permit = "identity:list_users",
	 .args = {.size = sizeof(struct scim_list_args)}, .work = scim_list_work,
	 .doc = "Lists the domain's users, with the parameters in the body.", .type = &scim_user_type,
	 .prepare = scim_prepare_search, .answer = scim_answer_list},
	{HTTP_POST, "Users", .name = "createUser", .permit = "identity:create_user", .flags = API_WRITES,
	 .args = {.size = sizeof(struct user_args)}, .work = hash_password, .operation = run_create,
	 .returns = KIND_USER, .doc = "Creates a user.", .type = &scim_user_type, .prepare = prepare_create,
	 .answer = answer_create},
	{HTTP_GET, "Users/{id}", .name = "getUser", .permit = "identity:get_user", .doc = "Shows a user.",
	 .type = &scim_user_type, .answer = scim_answer_one},
	{HTTP_PUT, "Users/{id}", .name = "replaceUser", .permit = "identity:update_user", .flags = API_WRITES,
	 .args = {.size = sizeof(struct user_change_call)}, .work = hash_password, .operation = run_change,
	 .returns = KIND_USER, .doc = "Replaces a user's attributes; active and password stay if absent.",
	 .type = &scim_user_type, .prepare = prepare_call, .answer = answer_change},
	{HTTP_PATCH, "Users/{id}", .name = "patchUser", .permit = "identity:update_user", .flags = API_WRITES,
	 .args = {.size = sizeof(struct user_change_call)}, .work = hash_password, .operation = run_change,
	 .returns = KIND_USER, .doc = "Changes some of a user's attributes.", .type = &scim_user_type,
	 .prepare = prepare_call, .answer = answer_change},
	{HTTP_DELETE, "Users/{id}", .name = "deleteUser", .permit = "identity:delete_user",
	 .flags = API_WRITES, .args = {.size = sizeof(struct user_change_call)}, .operation = run_delete,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a user, with its keys and credentials.",
	 .type = &scim_user_type, .prepare = prepare_delete},
};
const struct api_actions scim_user_actions = API_ACTIONS(rows);
