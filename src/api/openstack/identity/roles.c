/* SPDX-License-Identifier: Apache-2.0
 * Roles and role assignments. */
#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "engine/people/policy/role.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/group_member.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/user.h"
#include "store/user_group.h"

/* ---- roles ---- */

void os_write_role(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct role *r = item;
	os_write_hex(w, "id", r->row.id);
	json_write_text(w, "name", r->name);
	if (uuid_is_none(r->domain))
		json_write_null(w, "domain_id");
	else
		os_write_domain_id(w, "domain_id", r->domain);
	json_write_text_or_null(w, "description", r->description);
	json_write_open(w, "options");
	if (engine_is_standard_role(r))
		json_write_bool(w, "immutable", true);
	json_write_close(w);
	os_write_extra(w, r->extra);
	os_write_self(e, w, "roles", r->row.id);
}

/* Without the filter domain_id, lists only the region's roles. */
static bool is_listed(struct os_call *e, const struct row *row)
{
	const struct os_action *action = os_action_of(e);
	return !action->list || pairs_find(&e->request.query, "domain_id").p ||
	       uuid_is_none(role_of(row)->domain);
}

static bool fits_domain(struct os_call *e, const struct row *row, struct str value)
{
	struct ref ref;
	(void) e;
	return os_parse_id(value, KIND_DOMAIN, &ref) && uuid_equal(role_of(row)->domain, ref.prefix);
}

static const struct os_filter role_filters[] = {{"name", "name"},
						{"domain_id", "domain", .fits = fits_domain}};
static const struct os_listing roles = {
	.kind = KIND_ROLE,
	.items = "roles",
	.filters = OS_FILTERS(role_filters),
	.shows = is_listed,
	.write = os_write_role,
};

static RESULT list_roles(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	TRY(os_list(e, &roles, w));
	os_write_list_links(e, w);
	return OK;
}

struct new_role {
	struct role_wish wish;
	struct str others;
};
static const struct param create_params[] = {
	OS_BODY(struct new_role, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "Name; unique."),
	OS_BODY(struct new_role, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_BODY(struct new_role, "domain_id", wish.domain, .flags = NULLABLE, .kind = KIND_DOMAIN,
		.doc = "Domain of the role; absent: the region."),
	OS_UNBUILT("options", .only = "{}"),
};

static RESULT prepare_new(struct os_call *e, void *args)
{
	struct new_role *a = args;
	return os_take_extra(e, a->others, &a->wish.extra);
}

struct changed_role {
	struct role_change wish;
	struct str others;
};
#define ROLE(T) OS_PATH(T, "role_id", wish.role, .kind = KIND_ROLE, .doc = "The role.")
static const struct param update_params[] = {
	ROLE(struct changed_role),
	OS_BODY(struct changed_role, "name", wish.name, .min = 1, .max = 255, .doc = "Name; unique."),
	OS_BODY(struct changed_role, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_UNBUILT("options", .only = "{}"),
};

static RESULT prepare_change(struct os_call *e, void *args)
{
	struct changed_role *a = args;
	return os_take_extra(e, a->others, &a->wish.extra);
}

struct role_args {
	struct role_target wish;
};
static const struct param role_params[] = {ROLE(struct role_args)};

static RESULT show_role(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct role *role =
		role_find(os_tables(e), ((const struct role_args *) args)->wish.role.prefix);
	bool is_granted = role && (role->right == ROLE_RIGHT_MANAGER || role->right == ROLE_RIGHT_MEMBER ||
				   role->right == ROLE_RIGHT_READER);
	if (!is_granted && !os_reads_region(e))
		return os_fail_policy(e);
	return os_write_found(e, &roles, &((const struct role_args *) args)->wish.role, w);
}

/* ---- grants: a role of a user or group on a project or domain ---- */

struct grant_args {
	struct role_grant wish;
};
#define USER OS_PATH(struct grant_args, "user_id", wish.user, .kind = KIND_USER, .doc = "The user.")
#define USERS                                                                                                \
	OS_PATH(struct grant_args, "group_id", wish.user_group, .kind = KIND_USER_GROUP,                     \
		.doc = "The user group.")
#define PROJECT                                                                                              \
	OS_PATH(struct grant_args, "project_id", wish.account, .kind = KIND_ACCOUNT, .doc = "The project.")
#define DOMAIN OS_PATH(struct grant_args, "domain_id", wish.domain, .kind = KIND_DOMAIN, .doc = "The domain.")
#define WHICH OS_PATH(struct grant_args, "role_id", wish.role, .kind = KIND_ROLE, .doc = "The role.")
static const struct param project_user_params[] = {PROJECT, USER, WHICH};
static const struct param project_group_params[] = {PROJECT, USERS, WHICH};
static const struct param domain_user_params[] = {DOMAIN, USER, WHICH};
static const struct param domain_group_params[] = {DOMAIN, USERS, WHICH};
static const struct param system_user_params[] = {USER, WHICH};
static const struct param system_group_params[] = {USERS, WHICH};
static const struct param projects_user_params[] = {PROJECT, USER};
static const struct param projects_group_params[] = {PROJECT, USERS};
static const struct param domains_user_params[] = {DOMAIN, USER};
static const struct param domains_group_params[] = {DOMAIN, USERS};
static const struct param systems_user_params[] = {USER};
static const struct param systems_group_params[] = {USERS};

static RESULT prepare_system(struct os_call *e, void *args)
{
	(void) e;
	((struct grant_args *) args)->wish.system = true;
	return OK;
}

static RESULT prepare_inherited(struct os_call *e, void *args)
{
	(void) e;
	((struct grant_args *) args)->wish.inherited = true;
	return OK;
}

static bool is_ref(const struct ref *ref, uuid id)
{
	return ref->kind == KIND_NONE ? uuid_is_none(id) : uuid_equal(ref->prefix, id);
}

static bool is_of(const struct role_assignment *r, const struct role_grant *wish)
{
	return is_ref(&wish->user, r->user) && is_ref(&wish->user_group, r->user_group) &&
	       is_ref(&wish->account, r->account) && is_ref(&wish->domain, r->domain) &&
	       r->system == wish->system && r->inherited == wish->inherited;
}

/* Returns the next assignment of the user or group at the wish's place, with any role. */
static const struct role_assignment *next_of(const struct tables *t, const struct role_grant *wish,
					     const struct role_assignment *after)
{
	bool is_user = wish->user.kind != KIND_NONE;
	const struct role_assignment *r = after;
	do {
		if (r)
			r = is_user ? role_assignment_next_by_user(t, r)
				    : role_assignment_next_by_user_group(t, r);
		else
			r = is_user ? role_assignment_first_by_user(t, wish->user.prefix)
				    : role_assignment_first_by_user_group(t, wish->user_group.prefix);
	} while (r && !is_of(r, wish));
	return r;
}

/* True if the object belongs to the caller's domain: a domain's reader may read grants that lie within it
 * entirely. */
static bool is_in_domain(struct os_call *e, const struct ref *ref)
{
	const struct tables *t = os_tables(e);
	const struct row *row = ref->kind == KIND_NONE ? NULL : tables_find(t, ref->kind, ref->prefix);
	uuid domain = !row                           ? UUID_NONE
		      : ref->kind == KIND_ACCOUNT    ? account_of(row)->domain
		      : ref->kind == KIND_USER       ? os_user_domain(t, user_of(row))
		      : ref->kind == KIND_USER_GROUP ? user_group_of(row)->domain
						     : row->id;
	return ref->kind == KIND_NONE || uuid_equal(domain, e->c->who->domain);
}

static RESULT check_domains(struct os_call *e, const struct role_grant *wish)
{
	bool is_within = is_in_domain(e, &wish->account) && is_in_domain(e, &wish->domain) &&
			 is_in_domain(e, &wish->user) && is_in_domain(e, &wish->user_group);
	return is_within || os_reads_region(e) ? OK : os_fail_policy(e);
}

static RESULT check_place(struct os_call *e, const struct role_grant *wish)
{
	const struct row *row = NULL;
	TRY(check_domains(e, wish));
	if (wish->account.kind != KIND_NONE)
		TRY(engine_find(e->c, os_tables(e), KIND_ACCOUNT, &wish->account, &row));
	if (wish->domain.kind != KIND_NONE)
		TRY(engine_find(e->c, os_tables(e), KIND_DOMAIN, &wish->domain, &row));
	return OK;
}

static RESULT check_grant(struct os_call *e, void *args)
{
	const struct grant_args *a = args;
	TRY(check_place(e, &a->wish));
	const struct role_assignment *r = NULL;
	while ((r = next_of(os_tables(e), &a->wish, r)))
		if (is_ref(&a->wish.role, r->role))
			return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_ROLE_ASSIGNMENT, "That role is not assigned there.");
}

static RESULT check_system(struct os_call *e, void *args)
{
	TRY(prepare_system(e, args));
	return check_grant(e, args);
}

static RESULT check_inherited(struct os_call *e, void *args)
{
	TRY(prepare_inherited(e, args));
	return check_grant(e, args);
}

static RESULT list_granted(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct grant_args *a = args;
	VEC(const struct row *) rows = {0};
	TRY(check_place(e, &a->wish));
	const struct role_assignment *r = NULL;
	while ((r = next_of(os_tables(e), &a->wish, r))) {
		const struct role *role = role_find(os_tables(e), r->role);
		if (role && !VEC_PUSH(e->c->arena, &rows, &role->row))
			return ctx_no_memory(e->c);
	}
	return os_list_rows(e, "roles", rows.at, rows.count, os_write_role, w);
}

/* ---- all assignments ---- */

/* Assignment as shown: with `effective`, its consequences replace the row. */
struct shown {
	const struct role_assignment *row;
	uuid role, user, account; /* account: also one that inherits the assignment */
	bool is_inherited;
};

struct gathering {
	struct os_call *e;
	const struct tables *t;
	VEC(struct shown) shown;
	struct result result;
};

static bool query_is(struct os_call *e, const char *name, uuid id)
{
	struct ref ref;
	struct str asked = pairs_find(&e->request.query, name);
	if (!asked.p)
		return true;
	bool is_domain = strcmp(name, "scope.domain.id") == 0;
	return os_parse_id(asked, is_domain ? KIND_DOMAIN : KIND_NONE, &ref) && uuid_equal(ref.prefix, id);
}

static bool query_has(struct os_call *e, const char *name)
{
	const struct pairs *query = &e->request.query;
	for (size_t k = 0; k < query->count; k++)
		if (str_is(query->at[k].name, name) && !str_equal_nocase(query->at[k].value, STR("false")) &&
		    !str_is(query->at[k].value, "0"))
			return true;
	return false;
}

static bool is_asked_for(struct os_call *e, const struct shown *s)
{
	const struct role_assignment *r = s->row;
	bool is_domain = !uuid_is_none(r->domain) && uuid_is_none(s->account);
	return query_is(e, "role.id", s->role) && query_is(e, "user.id", s->user) &&
	       query_is(e, "group.id", uuid_is_none(s->user) ? r->user_group : UUID_NONE) &&
	       query_is(e, "scope.project.id", s->account) &&
	       query_is(e, "scope.domain.id", is_domain ? r->domain : UUID_NONE) &&
	       (!query_has(e, "scope.system") || r->system) &&
	       (!query_has(e, "scope.OS-INHERIT:inherited_to") || s->is_inherited);
}

/* Adds an assignment once, even if it follows in several ways. */
static void add_shown(struct gathering *g, const struct shown *s)
{
	if (!is_asked_for(g->e, s))
		return;
	for (size_t k = 0; k < g->shown.count; k++) {
		const struct shown *other = &g->shown.at[k];
		if (uuid_equal(other->role, s->role) && uuid_equal(other->user, s->user) &&
		    uuid_equal(other->account, s->account) && other->is_inherited == s->is_inherited &&
		    (other->row == s->row ||
		     (!uuid_is_none(s->user) && uuid_equal(other->row->domain, s->row->domain) &&
		      other->row->system == s->row->system)))
			return;
	}
	if (!VEC_PUSH(g->e->c->arena, &g->shown, *s))
		g->result = ctx_no_memory(g->e->c);
}

/* Adds the role and the roles that it implies. */
static void add_implied(struct gathering *g, struct shown s)
{
	struct roles closed = {.at = {s.role}, .count = 1};
	engine_close_roles(g->t, &closed);
	for (size_t k = 0; k < closed.count; k++) {
		const struct role *role = role_find(g->t, closed.at[k]);
		s.role = closed.at[k];
		if (role && uuid_is_none(role->domain)) /* tokens never contain a domain's role */
			add_shown(g, &s);
	}
}

static void add_members(struct gathering *g, struct shown s)
{
	if (!uuid_is_none(s.user)) {
		add_implied(g, s);
		return;
	}
	const struct group_member *m = group_member_first_by_user_group(g->t, s.row->user_group);
	for (; m; m = group_member_next_by_user_group(g->t, m)) {
		s.user = m->user;
		add_implied(g, s);
	}
}

static void add_effective(struct gathering *g, struct shown s)
{
	if (!s.is_inherited) {
		add_members(g, s);
		return;
	}
	s.is_inherited = false;
	uuid parent = s.account;
	const struct account *holder = account_find(g->t, parent);
	const struct account *a = account_first_by_domain(g->t, holder ? holder->domain : s.row->domain);
	for (; a; a = account_next_by_domain(g->t, a)) {
		s.account = a->row.id;
		if (row_is_live(&a->row) && (!holder || engine_is_account_within(g->t, a->row.id, parent)))
			add_members(g, s);
	}
}

/* Writes an object's id and, with include_names, its name and domain. */
static void write_named(struct os_call *e, struct json_writer *w, const char *key, uuid id, struct str name,
			uuid domain)
{
	json_write_open(w, key);
	os_write_domain_id(w, "id", id);
	if (query_has(e, "include_names")) {
		json_write_text(w, "name", name);
		if (!uuid_is_none(domain))
			os_write_domain(e, w, domain);
	}
	json_write_close(w);
}

static void write_holder(struct os_call *e, struct json_writer *w, const struct shown *s)
{
	const struct tables *t = os_tables(e);
	const struct user *user = user_find(t, s->user);
	const struct user_group *group = user_group_find(t, s->row->user_group);
	if (user)
		write_named(e, w, "user", user->row.id, user->name, os_user_domain(t, user));
	else if (group)
		write_named(e, w, "group", group->row.id, group->name, group->domain);
}

static void write_scope(struct os_call *e, struct json_writer *w, const struct shown *s)
{
	const struct account *account = account_find(os_tables(e), s->account);
	const struct domain *domain = domain_find(os_tables(e), s->row->domain);
	json_write_open(w, "scope");
	if (account) {
		write_named(e, w, "project", account->row.id, account->name, account->domain);
		if (s->is_inherited)
			json_write_z(w, "OS-INHERIT:inherited_to", "projects");
	} else if (domain) {
		write_named(e, w, "domain", domain->row.id, domain->name, UUID_NONE);
		if (s->is_inherited)
			json_write_z(w, "OS-INHERIT:inherited_to", "projects");
	} else {
		json_write_open(w, "system");
		json_write_bool(w, "all", true);
		json_write_close(w);
	}
	json_write_close(w);
}

/* Writes the URL of the assignment: ".../projects/<id>/users/<id>/roles/<id>". */
static void write_links(struct os_call *e, struct json_writer *w, const struct shown *s)
{
	struct arena *a = e->c->arena;
	const struct role_assignment *r = s->row;
	bool is_user = !uuid_is_none(r->user);
	uuid who = is_user ? r->user : r->user_group,
	     where = uuid_is_none(r->account) ? r->domain : r->account;
	struct str place =
		r->system ? STR("system")
			  : str_print(a, "%s/%" STR_FMT, uuid_is_none(r->account) ? "domains" : "projects",
				      STR_ARG(uuid_equal(where, DOMAIN_DEFAULT)
						      ? STR("default")
						      : str_encode_hex(a, where.b, sizeof where.b)));
	json_write_open(w, "links");
	json_write_text(w, "assignment",
			str_print(a, "%" STR_FMT "/%s%" STR_FMT "/%s/%" STR_FMT "/roles/%" STR_FMT "%s",
				  STR_ARG(os_service_url(e, OS_IDENTITY)), r->inherited ? "OS-INHERIT/" : "",
				  STR_ARG(place), is_user ? "users" : "groups",
				  STR_ARG(str_encode_hex(a, who.b, sizeof who.b)),
				  STR_ARG(str_encode_hex(a, r->role.b, sizeof r->role.b)),
				  r->inherited ? "/inherited_to_projects" : ""));
	json_write_close(w);
}

static RESULT list_assignments(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	struct gathering g = {.e = e, .t = os_tables(e)};
	bool is_effective = query_has(e, "effective");
	const struct role_assignment *r = role_assignment_first(g.t);
	for (; r; r = role_assignment_next(g.t, r)) {
		const struct account *account = account_find(g.t, r->account);
		const struct shown shown = {r, r->role, r->user, r->account, r->inherited};
		uuid domain = account ? account->domain : r->domain;
		if (!engine_may_see_people(e->c, domain))
			continue;
		if (is_effective)
			add_effective(&g, shown);
		else
			add_shown(&g, &shown);
	}
	TRY(g.result);
	json_write_open_list(w, "role_assignments");
	for (size_t k = 0; k < g.shown.count; k++) {
		const struct role *role = role_find(g.t, g.shown.at[k].role);
		json_write_open(w, NULL);
		write_named(e, w, "role", g.shown.at[k].role, role ? role->name : STR_NONE, UUID_NONE);
		write_holder(e, w, &g.shown.at[k]);
		write_scope(e, w, &g.shown.at[k]);
		write_links(e, w, &g.shown.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

#define GRANTS(where, params, word, ready, check)                                                            \
	{HTTP_PUT,                                                                                           \
	 where,                                                                                              \
	 .permit = "identity:create_" word,                                                                  \
	 .flags = API_WRITES | OS_UNSCOPED,                                                                  \
	 .status = 204,                                                                                      \
	 .args = OS_PARAMS(struct grant_args, params),                                                       \
	 .prepare = ready,                                                                                   \
	 .operation = engine_grant_role_run,                                                                 \
	 .doc = "Assigns a role."},                                                                          \
		{HTTP_GET,                                                                                   \
		 where,                                                                                      \
		 .permit = "identity:check_" word,                                                           \
		 .status = 204,                                                                              \
		 .args = OS_PARAMS(struct grant_args, params),                                               \
		 .prepare = check,                                                                           \
		 .doc = "Checks whether a role is assigned."},                                               \
	{                                                                                                    \
		HTTP_DELETE, where, .permit = "identity:revoke_" word, .flags = API_WRITES | OS_UNSCOPED,    \
				    .status = 204, .args = OS_PARAMS(struct grant_args, params),             \
				    .prepare = ready, .operation = engine_revoke_role_run,                   \
				    .doc = "Revokes a role."                                                 \
	}
#define GRANTED(where, params, word, ready)                                                                  \
	{                                                                                                    \
		HTTP_GET, where, .permit = "identity:list_" word,                                            \
				 .args = OS_PARAMS(struct grant_args, params), .prepare = ready,             \
				 .answer = list_granted,                                                     \
				 .doc = "Lists the roles assigned to the user or group."                     \
	}
static const struct os_action actions[] = {
	{HTTP_GET, "/v3/roles", .permit = "identity:list_roles", .args = OS_NO_PARAMS, .list = &roles,
	 .answer = list_roles, .doc = "Lists roles."},
	{HTTP_POST, "/v3/roles", .permit = "identity:create_role", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 201,
	 .args = OS_PARAMS(struct new_role, create_params, .members = offsetof(struct new_role, others) + 1),
	 .prepare = prepare_new, .wrap = "role", .item = "role", .operation = engine_create_role_run,
	 .returns = KIND_ROLE, OS_SHOWS(roles, struct new_role, wish.role), .doc = "Creates a role."},
	{HTTP_GET, "/v3/roles/{role_id}", .permit = "identity:get_role",
	 .args = OS_PARAMS(struct role_args, role_params), .item = "role", .answer = show_role,
	 .doc = "Shows one role."},
	{HTTP_PATCH, "/v3/roles/{role_id}", .permit = "identity:update_role",
	 .flags = API_WRITES | OS_UNSCOPED,
	 .args = OS_PARAMS(struct changed_role, update_params,
			   .members = offsetof(struct changed_role, others) + 1),
	 .wrap = "role", .item = "role", .prepare = prepare_change, .operation = engine_update_role_run,
	 .returns = KIND_ROLE, OS_SHOWS(roles, struct changed_role, wish.role.prefix),
	 .doc = "Changes a role."},
	{HTTP_DELETE, "/v3/roles/{role_id}", .permit = "identity:delete_role",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204, .args = OS_PARAMS(struct role_args, role_params),
	 .operation = engine_delete_role_run, .doc = "Deletes a role, except the region's own roles."},
	{HTTP_GET, "/v3/role_assignments", .permit = "identity:list_role_assignments", .args = OS_NO_PARAMS,
	 .answer = list_assignments, .doc = "Lists role assignments."},
	GRANTS("/v3/projects/{project_id}/users/{user_id}/roles/{role_id}", project_user_params, "grant",
	       NULL, check_grant),
	GRANTS("/v3/projects/{project_id}/groups/{group_id}/roles/{role_id}", project_group_params, "grant",
	       NULL, check_grant),
	GRANTS("/v3/domains/{domain_id}/users/{user_id}/roles/{role_id}", domain_user_params, "grant", NULL,
	       check_grant),
	GRANTS("/v3/domains/{domain_id}/groups/{group_id}/roles/{role_id}", domain_group_params, "grant",
	       NULL, check_grant),
	GRANTS("/v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
	       domain_user_params, "grant", prepare_inherited, check_inherited),
	GRANTS("/v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
	       domain_group_params, "grant", prepare_inherited, check_inherited),
	GRANTS("/v3/OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
	       project_user_params, "grant", prepare_inherited, check_inherited),
	GRANTS("/v3/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
	       project_group_params, "grant", prepare_inherited, check_inherited),
	GRANTED("/v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/inherited_to_projects",
		domains_user_params, "grants", prepare_inherited),
	GRANTED("/v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/inherited_to_projects",
		domains_group_params, "grants", prepare_inherited),
	GRANTS("/v3/system/users/{user_id}/roles/{role_id}", system_user_params, "system_grant_for_user",
	       prepare_system, check_system),
	GRANTS("/v3/system/groups/{group_id}/roles/{role_id}", system_group_params, "system_grant_for_group",
	       prepare_system, check_system),
	GRANTED("/v3/projects/{project_id}/users/{user_id}/roles", projects_user_params, "grants", NULL),
	GRANTED("/v3/projects/{project_id}/groups/{group_id}/roles", projects_group_params, "grants", NULL),
	GRANTED("/v3/domains/{domain_id}/users/{user_id}/roles", domains_user_params, "grants", NULL),
	GRANTED("/v3/domains/{domain_id}/groups/{group_id}/roles", domains_group_params, "grants", NULL),
	GRANTED("/v3/system/users/{user_id}/roles", systems_user_params, "system_grants_for_user",
		prepare_system),
	GRANTED("/v3/system/groups/{group_id}/roles", systems_group_params, "system_grants_for_group",
		prepare_system),
};
const struct os_actions os_role_actions = OS_ACTIONS(OS_IDENTITY, actions);
