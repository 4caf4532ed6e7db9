/* SPDX-License-Identifier: Apache-2.0
 * Projects, which are accounts, and domains. In Keystone each domain is also a project without a parent
 * (is_domain), so the project calls create, show, change and delete domains, too. Such a project owns no
 * resources, and no token is scoped to it as a project. */
#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "engine/people/account/account.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/role.h"
#include "store/account.h"
#include "store/domain.h"

/* ---- domains ---- */

static void write_domain(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct domain *d = item;
	os_write_domain_id(w, "id", d->row.id);
	json_write_text(w, "name", d->name);
	json_write_text(w, "description", d->description);
	json_write_bool(w, "enabled", d->enabled);
	json_write_open_list(w, "tags");
	json_write_close_list(w);
	json_write_open(w, "options");
	json_write_close(w);
	os_write_extra(w, d->extra);
	os_write_self(e, w, "domains", d->row.id);
}

static const struct os_filter domain_filters[] = {{"name", "name"}, {"enabled", "enabled"}};
static const struct os_listing domains = {
	.kind = KIND_DOMAIN,
	.items = "domains",
	.filters = OS_FILTERS(domain_filters),
	.write = write_domain,
};

static RESULT list_domains(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return os_list_people(e, &domains, w);
}

struct new_domain {
	struct domain_wish wish;
	struct str others;
};
static const struct param create_domain_params[] = {
	OS_BODY(struct new_domain, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 64,
		.doc = "Name; unique."),
	OS_BODY(struct new_domain, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_BODY(struct new_domain, "enabled", wish.enabled,
		.doc = "Whether the domain is enabled; absent: true."),
	OS_UNBUILT("tags", .only = "[]"),
	OS_UNBUILT("options", .only = "{}"),
	OS_UNBUILT("explicit_domain_id"),
};

static RESULT prepare_new_domain(struct os_call *e, void *args)
{
	struct new_domain *a = args;
	return os_take_extra(e, a->others, &a->wish.extra);
}

struct changed_domain {
	struct domain_change wish;
	struct str others;
};
#define DOMAIN(T) OS_PATH(T, "domain_id", wish.domain, .kind = KIND_DOMAIN, .doc = "The domain.")
static const struct param update_domain_params[] = {
	DOMAIN(struct changed_domain),
	OS_BODY(struct changed_domain, "name", wish.name, .min = 1, .max = 64, .doc = "Name; unique."),
	OS_BODY(struct changed_domain, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_BODY(struct changed_domain, "enabled", wish.enabled,
		.doc = "Whether the domain is enabled. A disabled domain gets no tokens."),
	OS_UNBUILT("tags", .only = "[]"),
	OS_UNBUILT("options", .only = "{}"),
};

static RESULT prepare_domain(struct os_call *e, void *args)
{
	struct changed_domain *a = args;
	return os_take_extra(e, a->others, &a->wish.extra);
}

struct domain_args {
	struct domain_target wish;
};
static const struct param domain_params[] = {DOMAIN(struct domain_args)};

static RESULT show_domain(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_hide_absence(
		e, os_write_found(e, &domains, &((const struct domain_args *) args)->wish.domain, w));
}

/* ---- projects ---- */

static void write_tags(struct json_writer *w, const struct account *a)
{
	json_write_open_list(w, "tags");
	for (size_t k = 0; k < a->labels.count; k++)
		json_write_text(w, NULL, a->labels.at[k]);
	json_write_close_list(w);
}

void os_write_project(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct account *a = item;
	os_write_hex(w, "id", a->row.id);
	json_write_text(w, "name", a->name);
	os_write_domain_id(w, "domain_id", a->domain);
	json_write_text(w, "description", a->description);
	json_write_bool(w, "enabled", a->enabled);
	os_write_domain_id(w, "parent_id", uuid_is_none(a->parent) ? a->domain : a->parent);
	json_write_bool(w, "is_domain", false);
	write_tags(w, a);
	json_write_open(w, "options");
	json_write_close(w);
	os_write_extra(w, a->extra);
	os_write_self(e, w, "projects", a->row.id);
}

static bool fits_domain(struct os_call *e, const struct row *row, struct str value)
{
	struct ref ref;
	(void) e;
	return os_parse_id(value, KIND_DOMAIN, &ref) && uuid_equal(account_of(row)->domain, ref.prefix);
}

static bool fits_no_domain(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	return str_equal_nocase(value, STR("false")) || str_is(value, "0");
}

/* The parent of a top-level project is its domain. */
static bool fits_parent(struct os_call *e, const struct row *row, struct str value)
{
	const struct account *a = account_of(row);
	struct ref ref;
	(void) e;
	return os_parse_id(value, KIND_DOMAIN, &ref) &&
	       uuid_equal(uuid_is_none(a->parent) ? a->domain : a->parent, ref.prefix);
}

static const struct os_filter project_filters[] = {
	{"name", "name"},
	{"enabled", "enabled"},
	{"domain_id", "domain", .fits = fits_domain},
	{"parent_id", .fits = fits_parent,
	 .access_paths = {{KIND_ACCOUNT, ACCOUNT_INDEX_DOMAIN}, {KIND_ACCOUNT, ACCOUNT_INDEX_PARENT}}},
	{"is_domain", .fits = fits_no_domain},
};
static const struct os_listing projects = {
	.kind = KIND_ACCOUNT,
	.items = "projects",
	.filters = OS_FILTERS(project_filters),
	.write = os_write_project,
};

/* ---- domains as projects ---- */

static void write_domain_project(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct domain *d = item;
	os_write_domain_id(w, "id", d->row.id);
	json_write_text(w, "name", d->name);
	json_write_null(w, "domain_id");
	json_write_text(w, "description", d->description);
	json_write_bool(w, "enabled", d->enabled);
	json_write_null(w, "parent_id");
	json_write_bool(w, "is_domain", true);
	json_write_open_list(w, "tags");
	json_write_close_list(w);
	json_write_open(w, "options");
	json_write_close(w);
	os_write_extra(w, d->extra);
	os_write_self(e, w, "projects", d->row.id);
}

static bool fits_nothing(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	(void) value;
	return false;
}

static bool fits_a_domain(struct os_call *e, const struct row *row, struct str value)
{
	return !fits_no_domain(e, row, value);
}

/* Domains have neither a domain nor a parent. */
static const struct os_filter domain_project_filters[] = {
	{"name", "name"},
	{"enabled", "enabled"},
	{"domain_id", .fits = fits_nothing},
	{"parent_id", .fits = fits_nothing},
	{"is_domain", .fits = fits_a_domain},
};
static const struct os_listing domain_projects = {
	.kind = KIND_DOMAIN,
	.items = "projects",
	.filters = OS_FILTERS(domain_project_filters),
	.write = write_domain_project,
};

static struct ref as_domain(struct ref ref)
{
	ref.kind = KIND_DOMAIN;
	return ref;
}

/* True if the id is a domain's and not a project's. Reads the view. */
static bool is_domain(struct os_call *e, const struct ref *ref)
{
	return !account_find(os_tables(e), ref->prefix) && domain_find(os_tables(e), ref->prefix);
}

static RESULT check_no_labels(struct os_call *e, const struct strs *labels)
{
	return !labels || !labels->count ? OK
					 : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("tags"),
							  "Tags of domains are not supported here.");
}

static RESULT list_projects(struct os_call *e, const void *args, struct json_writer *w)
{
	struct str asked = pairs_find(&e->request.query, "is_domain");
	(void) args;
	return os_list_people(e, asked.p && !fits_no_domain(e, NULL, asked) ? &domain_projects : &projects,
			      w);
}

struct new_project {
	struct account_wish wish;
	struct domain_wish domain; /* used instead if is_domain */
	struct str others;
	struct ref parent;
	bool is_domain;
};
static const struct param create_project_params[] = {
	OS_BODY(struct new_project, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 64,
		.doc = "Name; unique in the domain."),
	OS_BODY(struct new_project, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_BODY(struct new_project, "enabled", wish.enabled,
		.doc = "Whether the project is enabled; absent: true."),
	OS_BODY(struct new_project, "domain_id", wish.domain, .kind = KIND_DOMAIN, .flags = NULLABLE,
		.doc = "Domain; absent: the token's."),
	OS_BODY(struct new_project, "parent_id", parent, .kind = KIND_DOMAIN, .flags = NULLABLE,
		.doc = "Parent: the domain, or a project."),
	OS_BODY(struct new_project, "is_domain", is_domain, .doc = "Whether the project acts as a domain."),
	OS_BODY(struct new_project, "tags", wish.labels, .doc = "Tags, at most 80."),
	OS_UNBUILT("options", .only = "{}"),
};

static RESULT prepare_domain_project(struct os_call *e, struct new_project *a)
{
	if (a->wish.domain.kind != KIND_NONE || a->parent.kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_INVALID, STR("is_domain"),
				      "only root projects are allowed to act as domains.");
	TRY(check_no_labels(e, &a->wish.labels));
	e->returns = KIND_DOMAIN;
	a->domain.name = a->wish.name;
	a->domain.description = a->wish.description;
	a->domain.enabled = a->wish.enabled;
	return os_take_extra(e, a->others, &a->domain.extra);
}

/* The parent is a domain, or else a project. */
static RESULT prepare_new_project(struct os_call *e, void *args)
{
	struct new_project *a = args;
	if (a->is_domain)
		return prepare_domain_project(e, a);
	bool is_domain = a->parent.kind != KIND_NONE && domain_find(os_tables(e), a->parent.prefix);
	if (a->parent.kind != KIND_NONE && !is_domain) {
		a->wish.parent = a->parent;
		a->wish.parent.kind = KIND_ACCOUNT;
		return os_take_extra(e, a->others, &a->wish.extra);
	}
	if (a->wish.domain.kind == KIND_NONE)
		a->wish.domain = a->parent;
	if (a->wish.domain.kind == KIND_NONE)
		a->wish.domain = os_own_domain(e);
	if (is_domain && !uuid_equal(a->parent.prefix, a->wish.domain.prefix))
		return ctx_fail_field(e->c, ERR_INVALID, STR("parent_id"),
				      "The domain is not that of the project's parent.");
	return os_take_extra(e, a->others, &a->wish.extra);
}

static RESULT make_project(struct op *op, void *wish)
{
	struct new_project *a = wish;
	return a->is_domain ? engine_create_domain(op, &a->domain) : engine_create_account(op, &a->wish);
}

static RESULT show_new_project(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct new_project *a = args;
	return a->is_domain ? os_write_returned(e, &domain_projects, a->domain.domain, w)
			    : os_write_returned(e, &projects, a->wish.account, w);
}

struct changed_project {
	struct account_change wish;
	struct domain_change domain; /* used instead if is_domain */
	struct str others;
	bool is_domain;
	enum choice says_domain;
	struct ref own_domain, parent;
};
#define PROJECT(T) OS_PATH(T, "project_id", wish.account, .kind = KIND_ACCOUNT, .doc = "The project.")
static const struct param update_project_params[] = {
	PROJECT(struct changed_project),
	OS_BODY(struct changed_project, "name", wish.name, .min = 1, .max = 64,
		.doc = "Name; unique in the domain."),
	OS_BODY(struct changed_project, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_BODY(struct changed_project, "enabled", wish.enabled,
		.doc = "Whether the project is enabled. A disabled project gets no tokens."),
	OS_SAME_DOMAIN(struct changed_project, own_domain),
	OS_BODY(struct changed_project, "parent_id", parent, .kind = KIND_DOMAIN,
		.doc = "Present parent. Cannot be changed."),
	OS_BODY(struct changed_project, "is_domain", says_domain, .doc = "Present value. Cannot be changed."),
	OS_BODY(struct changed_project, "tags", wish.labels, .doc = "Tags, at most 80."),
	OS_UNBUILT("options", .only = "{}"),
};

/* ERR_INVALID, ERR_PROTECTED: the change moves the project. */
static RESULT check_place(struct os_call *e, const struct changed_project *a)
{
	const struct account *account = account_find(os_tables(e), a->wish.account.prefix);
	if (!account)
		return OK;
	TRY(os_check_domain(e, &a->own_domain, &account->row, account->domain));
	uuid parent = uuid_is_none(account->parent) ? account->domain : account->parent;
	if (!ref_is_given(&a->parent) || uuid_equal(a->parent.prefix, parent) ||
	    !engine_may_see(e->c, KIND_ACCOUNT, &account->row))
		return OK;
	return ctx_fail_field(e->c, ERR_PROTECTED, STR("parent_id"), "Update of `parent_id` is not allowed.");
}

static RESULT prepare_project(struct os_call *e, void *args)
{
	struct changed_project *a = args;
	a->is_domain = is_domain(e, &a->wish.account);
	if (a->says_domain != CHOICE_DEFAULT && a->is_domain != (a->says_domain == CHOICE_YES))
		return ctx_fail_field(e->c, ERR_INVALID, STR("is_domain"),
				      "Update of `is_domain` is not allowed.");
	TRY(check_place(e, a));
	TRY(os_take_extra(e, a->others, &a->wish.extra));
	if (!a->is_domain)
		return OK;
	TRY(check_no_labels(e, a->wish.labels));
	e->returns = KIND_DOMAIN;
	a->domain = (struct domain_change){.domain = as_domain(a->wish.account),
					   .name = a->wish.name,
					   .description = a->wish.description,
					   .enabled = a->wish.enabled,
					   .extra = a->wish.extra};
	return OK;
}

static RESULT change_project(struct op *op, void *wish)
{
	struct changed_project *a = wish;
	return a->is_domain ? engine_update_domain(op, &a->domain) : engine_update_account(op, &a->wish);
}

static RESULT show_changed_project(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct changed_project *a = args;
	return os_write_returned(e, a->is_domain ? &domain_projects : &projects, a->wish.account.prefix, w);
}

struct project_args {
	struct account_target wish;
	bool is_domain;
};
static const struct param project_params[] = {PROJECT(struct project_args)};

static RESULT show_project(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct ref *ref = &((const struct project_args *) args)->wish.account;
	const struct ref domain = as_domain(*ref);
	return is_domain(e, ref) ? os_hide_absence(e, os_write_found(e, &domain_projects, &domain, w))
				 : os_hide_absence(e, os_write_found(e, &projects, ref, w));
}

static RESULT prepare_delete_project(struct os_call *e, void *args)
{
	struct project_args *a = args;
	a->is_domain = is_domain(e, &a->wish.account);
	return OK;
}

static RESULT delete_project(struct op *op, void *wish)
{
	struct project_args *a = wish;
	struct domain_target domain = {as_domain(a->wish.account)};
	return a->is_domain ? engine_delete_domain(op, &domain) : engine_delete_account(op, &a->wish);
}

/* ---- tags of a project ---- */

static const struct param tags_params[] = {
	PROJECT(struct changed_project),
	OS_BODY(struct changed_project, "tags", wish.labels, .flags = REQUIRED,
		.doc = "Tags that replace the present tags."),
};

static RESULT list_tags(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct project_args *a = args;
	const struct row *row = NULL;
	TRY(os_hide_absence(e, os_find(e, KIND_ACCOUNT, &a->wish.account, &row)));
	write_tags(w, account_of(row));
	os_write_list_links(e, w);
	return OK;
}

static RESULT show_tags(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct changed_project *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.account.prefix, &row));
	write_tags(w, account_of(row));
	os_write_list_links(e, w);
	return OK;
}

struct tag_args {
	struct account_change wish;
	struct str tag;
	struct strs labels;
};
static const struct param tag_params[] = {
	OS_PATH(struct tag_args, "project_id", wish.account, .kind = KIND_ACCOUNT, .doc = "The project."),
	OS_PATH(struct tag_args, "value", tag, .max = 255, .doc = "The tag."),
};
static const struct param no_tags_params[] = {
	OS_PATH(struct tag_args, "project_id", wish.account, .kind = KIND_ACCOUNT, .doc = "The project."),
};

static bool has_label(const struct account *a, struct str tag)
{
	for (size_t k = 0; k < a->labels.count; k++)
		if (str_equal(a->labels.at[k], tag))
			return true;
	return false;
}

static RESULT find_tag(struct os_call *e, const struct tag_args *a, const struct account **ret_account)
{
	const struct row *row = NULL;
	TRY(os_hide_absence(e, os_find(e, KIND_ACCOUNT, &a->wish.account, &row)));
	*ret_account = account_of(row);
	return has_label(*ret_account, a->tag)
		       ? OK
		       : ctx_fail(e->c, ERR_NOT_FOUND, "Could not find project tag: %" STR_FMT ".",
				  STR_ARG(a->tag));
}

static RESULT check_tag(struct os_call *e, void *args)
{
	const struct account *account = NULL;
	return find_tag(e, args, &account);
}

/* Computes the new tags from the row inside the change, so that concurrent additions and removals are not
 * lost. */
static RESULT change_tags(struct op *op, struct tag_args *a, bool adds)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &a->wish.account, &row));
	const struct account *account = account_of(row);
	struct str *labels = arena_new_array(op->ctx->arena, struct str, account->labels.count + 1);
	size_t count = 0;
	if (!labels)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < account->labels.count && a->tag.n; k++)
		if (!str_equal(account->labels.at[k], a->tag))
			labels[count++] = account->labels.at[k];
	if (adds)
		labels[count++] = a->tag;
	a->labels = (struct strs){labels, count};
	a->wish.labels = &a->labels;
	return engine_update_account(op, &a->wish);
}

static RESULT add_tag(struct op *op, void *wish)
{
	return change_tags(op, wish, true);
}

static RESULT remove_tags(struct op *op, void *wish)
{
	return change_tags(op, wish, false);
}

/* ---- where somebody gets in ---- */

/* Lists the open accounts or domains on which the user has a role. */
static RESULT list_where(struct os_call *e, uuid user, enum kind kind, struct json_writer *w)
{
	const struct tables *t = os_tables(e);
	VEC(const struct row *) rows = {0};
	struct roles roles;
	bool is_account = kind == KIND_ACCOUNT;
	for (const struct row *row = tables_first(t, kind, 0, NULL, 0); row;
	     row = tables_next(t, kind, 0, row, 0)) {
		if (is_account ? !engine_is_account_open(t, account_of(row)) : !domain_of(row)->enabled)
			continue;
		engine_find_roles(t, user, is_account ? IDENTITY_ACCOUNT : IDENTITY_DOMAIN, row->id, &roles);
		if (roles.count && !VEC_PUSH(e->c->arena, &rows, row))
			return ctx_no_memory(e->c);
	}
	return os_list_rows(e, is_account ? "projects" : "domains", rows.at, rows.count,
			    is_account ? os_write_project : write_domain, w);
}

static RESULT list_own_projects(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return list_where(e, e->c->who->user, KIND_ACCOUNT, w);
}

static RESULT list_own_domains(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return list_where(e, e->c->who->user, KIND_DOMAIN, w);
}

/* Lists the system if the user has a role on it. */
static RESULT list_own_systems(struct os_call *e, const void *args, struct json_writer *w)
{
	struct roles roles;
	(void) args;
	engine_find_roles(os_tables(e), e->c->who->user, IDENTITY_SYSTEM, UUID_NONE, &roles);
	json_write_open_list(w, "system");
	if (roles.count) {
		json_write_open(w, NULL);
		json_write_bool(w, "all", true);
		json_write_close(w);
	}
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

struct user_args {
	struct ref user;
};
static const struct param user_params[] = {
	OS_PATH(struct user_args, "user_id", user, .kind = KIND_USER, .doc = "The user."),
};

static RESULT list_users_projects(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct user_args *a = args;
	const struct row *row = NULL;
	TRY(os_hide_absence(e, engine_find(e->c, os_tables(e), KIND_USER, &a->user, &row)));
	return list_where(e, row->id, KIND_ACCOUNT, w);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v3/domains", .permit = "identity:list_domains", .args = OS_NO_PARAMS, .list = &domains,
	 .answer = list_domains, .doc = "Lists domains."},
	{HTTP_POST, "/v3/domains", .permit = "identity:create_domain", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 201,
	 .args = OS_PARAMS(struct new_domain, create_domain_params,
			   .members = offsetof(struct new_domain, others) + 1),
	 .prepare = prepare_new_domain, .wrap = "domain", .item = "domain",
	 .operation = engine_create_domain_run, .returns = KIND_DOMAIN,
	 OS_SHOWS(domains, struct new_domain, wish.domain), .doc = "Creates a domain."},
	{HTTP_GET, "/v3/domains/{domain_id}", .permit = "identity:get_domain",
	 .args = OS_PARAMS(struct domain_args, domain_params), .item = "domain", .answer = show_domain,
	 .doc = "Shows one domain."},
	{HTTP_PATCH, "/v3/domains/{domain_id}", .permit = "identity:update_domain",
	 .flags = API_WRITES | OS_UNSCOPED,
	 .args = OS_PARAMS(struct changed_domain, update_domain_params,
			   .members = offsetof(struct changed_domain, others) + 1),
	 .wrap = "domain", .item = "domain", .prepare = prepare_domain, .operation = engine_update_domain_run,
	 .returns = KIND_DOMAIN, OS_SHOWS(domains, struct changed_domain, wish.domain.prefix),
	 .doc = "Changes a domain."},
	{HTTP_DELETE, "/v3/domains/{domain_id}", .permit = "identity:delete_domain",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204,
	 .args = OS_PARAMS(struct domain_args, domain_params), .operation = engine_delete_domain_run,
	 .doc = "Deletes a disabled domain without projects."},
	{HTTP_GET, "/v3/projects", .permit = "identity:list_projects", .args = OS_NO_PARAMS,
	 .list = &projects, .answer = list_projects, .doc = "Lists projects."},
	{HTTP_POST, "/v3/projects", .permit = "identity:create_project", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 201,
	 .args = OS_PARAMS(struct new_project, create_project_params,
			   .members = offsetof(struct new_project, others) + 1),
	 .wrap = "project", .item = "project", .prepare = prepare_new_project, .operation = make_project,
	 .returns = KIND_ACCOUNT, .answer = show_new_project, .doc = "Creates a project."},
	{HTTP_GET, "/v3/projects/{project_id}", .permit = "identity:get_project",
	 .args = OS_PARAMS(struct project_args, project_params), .item = "project", .answer = show_project,
	 .doc = "Shows one project."},
	{HTTP_PATCH, "/v3/projects/{project_id}", .permit = "identity:update_project",
	 .flags = API_WRITES | OS_UNSCOPED,
	 .args = OS_PARAMS(struct changed_project, update_project_params,
			   .members = offsetof(struct changed_project, others) + 1),
	 .wrap = "project", .item = "project", .prepare = prepare_project, .operation = change_project,
	 .returns = KIND_ACCOUNT, .answer = show_changed_project, .doc = "Changes a project."},
	{HTTP_DELETE, "/v3/projects/{project_id}", .permit = "identity:delete_project",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204,
	 .args = OS_PARAMS(struct project_args, project_params), .prepare = prepare_delete_project,
	 .operation = delete_project, .doc = "Deletes an empty project."},
	{HTTP_GET, "/v3/projects/{project_id}/tags", .permit = "identity:list_project_tags",
	 .args = OS_PARAMS(struct project_args, project_params), .answer = list_tags,
	 .doc = "Lists the tags of a project."},
	{HTTP_GET, "/v3/projects/{project_id}/tags/{value}", .permit = "identity:get_project_tag",
	 .status = 204, .args = OS_PARAMS(struct tag_args, tag_params), .prepare = check_tag,
	 .doc = "Checks whether a project has a tag."},
	{HTTP_PUT, "/v3/projects/{project_id}/tags/{value}", .permit = "identity:create_project_tag",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 201, .args = OS_PARAMS(struct tag_args, tag_params),
	 .operation = add_tag, .doc = "Adds a tag to a project."},
	{HTTP_DELETE, "/v3/projects/{project_id}/tags/{value}", .permit = "identity:delete_project_tag",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204, .args = OS_PARAMS(struct tag_args, tag_params),
	 .prepare = check_tag, .operation = remove_tags, .doc = "Removes a tag from a project."},
	{HTTP_DELETE, "/v3/projects/{project_id}/tags", .permit = "identity:delete_project_tags",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204, .args = OS_PARAMS(struct tag_args, no_tags_params),
	 .operation = remove_tags, .doc = "Removes all tags of a project."},
	{HTTP_PUT, "/v3/projects/{project_id}/tags", .permit = "identity:update_project_tags",
	 .flags = API_WRITES | OS_UNSCOPED, .args = OS_PARAMS(struct changed_project, tags_params),
	 .prepare = prepare_project, .operation = engine_update_account_run, .returns = KIND_ACCOUNT,
	 .answer = show_tags, .doc = "Replaces the tags of a project."},
	{HTTP_GET, "/v3/auth/projects", .permit = "identity:get_auth_projects", .args = OS_NO_PARAMS,
	 .answer = list_own_projects, .doc = "Lists the projects that the token's user has a role in."},
	{HTTP_GET, "/v3/auth/domains", .permit = "identity:get_auth_domains", .args = OS_NO_PARAMS,
	 .answer = list_own_domains, .doc = "Lists the domains that the token's user has a role in."},
	{HTTP_GET, "/v3/auth/system", .permit = "identity:get_auth_system", .args = OS_NO_PARAMS,
	 .answer = list_own_systems, .doc = "Shows whether the token's user has a role on the system."},
	{HTTP_GET, "/v3/users/{user_id}/projects", .permit = "identity:list_user_projects",
	 .args = OS_PARAMS(struct user_args, user_params), .answer = list_users_projects,
	 .doc = "Lists the projects that a user has a role in."},
};
const struct os_actions os_project_actions = OS_ACTIONS(OS_IDENTITY, actions);
