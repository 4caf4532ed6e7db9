/* SPDX-License-Identifier: Apache-2.0
 * listApis: commands that the caller may run, from the tables that run them; and listCapabilities. Source:
 * API reference, and what CloudMonkey and Marvin read.
 */
#include "api/cloudstack/core/action.h"
#include "engine/region/region.h"

struct api_args {
	struct str name;
};
static const struct param api_params[] = {
	PARAM(struct api_args, "name", name, .doc = "Command by name."),
};

/* ---- who may run what ---- */

/* Asks the guard for every command, without rows. */
static RESULT find_permitted(struct cs_call *e, bool *ret_are_permitted)
{
	const struct api_entries *all = &e->face->entries;
	const struct identity *who = e->c->who;
	struct guard_request *requests = arena_new_array(e->c->arena, struct guard_request, all->count);
	if (!requests)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < all->count; k++) {
		const struct api_action *a = all->at[k].action;
		bool is_free = a->flags & (API_OPEN | API_FOR_ALL);
		bool has_right = identity_has(who, a->flags & API_WRITES ? RIGHT_MEMBER : RIGHT_READER);
		requests[k].action = str_from(a->permit);
		requests[k].is_change = a->operation;
		requests[k].has_role = is_free || has_right || cs_rules_permit(e, cs_tables(e), a);
	}
	bool manages = cs_manages_a_project(cs_tables(e), who->user);
	cs_release_tables(e); /* the guard opens a view of its own */
	TRY(guard_ask_actions(e->config->guards, e->call, requests, all->count, ret_are_permitted));
	for (size_t k = 0; k < all->count; k++) {
		unsigned flags = all->at[k].action->flags;
		if (flags & CS_ADMIN && !identity_is_admin(who))
			ret_are_permitted[k] = manages && flags & CS_OF_PROJECT;
		if (flags & (API_OPEN | API_FOR_ALL))
			ret_are_permitted[k] = true;
	}
	return OK;
}

/* ---- parameters ---- */

static const char *type_of_param(const struct param *p)
{
	static const char *const words[] = {
		[PARAM_NOT_BUILT] = "string", [PARAM_TEXT] = "string",    [PARAM_INT] = "long",
		[PARAM_BOOL] = "boolean",     [PARAM_CHOICE] = "boolean", [PARAM_ID] = "uuid",
		[PARAM_IP] = "string",        [PARAM_CIDR] = "string",    [PARAM_MAC] = "string",
		[PARAM_TEXTS] = "list",       [PARAM_IDS] = "list",       [PARAM_IPS] = "list",
		[PARAM_TAGS] = "map",         [PARAM_STRUCT] = "map",     [PARAM_STRUCTS] = "map",
		[PARAM_JSON] = "string"};
	return words[p->type];
}

/* Names the commands that list rows of the kind. */
static struct str find_related(const struct cs_call *e, const bool *permitted, enum kind kind)
{
	const struct api_entries *all = &e->face->entries;
	struct str related = STR_NONE;
	for (size_t k = 0; k < all->count && kind != KIND_NONE; k++) {
		const struct api_action *a = all->at[k].action;
		if (permitted[k] && a->listing && a->listing->kind == kind)
			related = str_print(e->c->arena, "%" STR_FMT "%s%s", STR_ARG(related),
					    related.n ? "," : "", a->name);
	}
	return related;
}

static void write_params(struct json_writer *w, const struct params *table, const struct str *related)
{
	json_write_open_list(w, "params");
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		if (p->type == PARAM_NOT_BUILT || p->type == PARAM_PASSED_OVER)
			continue; /* refused or ignored parameters */
		json_write_open(w, NULL);
		json_write_text(w, "name", str_from(p->wire));
		json_write_text(w, "description", str_from(p->doc));
		json_write_z(w, "type", type_of_param(p));
		json_write_int(w, "length",
			       p->max && param_is_text(p) && p->type != PARAM_TEXTS ? p->max : 255);
		json_write_bool(w, "required", p->flags & REQUIRED);
		if (related[p->kind].n)
			json_write_text(w, "related", related[p->kind]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

/* ---- answers ---- */

/* Type of a fixed JSON value by its first character. */
static const char *type_of_fixed(char first)
{
	bool is_bool = first == 't' || first == 'f';
	return first == '"' ? "string" : first == '[' ? "list" : is_bool ? "boolean" : "integer";
}

static const char *type_of_member(const struct member *m)
{
	switch ((int) m->type) {
	case MEMBER_IS_INT:
		return "integer";
	case MEMBER_IS_BOOL:
		return m->yes ? "string" : "boolean";
	case MEMBER_IS_ZERO:
		return "boolean";
	case MEMBER_IS_TIME:
		return "date";
	case MEMBER_IS_EACH:
	case MEMBER_IS_REFS:
		return "list";
	case MEMBER_IS_FIXED:
		return type_of_fixed(*m->json);
	default:
		return "string";
	}
}

static void write_member_names(struct json_writer *w, const char *key, const struct members *members);

/* Writes one name, or several between bars. */
static void write_names(struct json_writer *w, const char *names, const char *type,
			const struct members *within)
{
	struct str rest = str_from(names), name;
	while (str_split_next(&rest, '|', &name)) {
		json_write_open(w, NULL);
		json_write_text(w, "name", name);
		json_write_text(w, "description", name);
		json_write_z(w, "type", type);
		if (within)
			write_member_names(w, "response", within);
		json_write_close(w);
	}
}

static void write_each_member(struct json_writer *w, const struct members *members)
{
	for (size_t k = 0; members && k < members->count; k++) {
		const struct member *m = &members->at[k];
		if (m->type == MEMBER_IS_ALL) {
			write_each_member(w, m->list);
			continue;
		}
		write_names(w, m->name, type_of_member(m), m->list);
		write_names(w, m->type == MEMBER_IS_WRITTEN ? m->also : NULL, "string", NULL);
	}
}

static void write_member_names(struct json_writer *w, const char *key, const struct members *members)
{
	json_write_open_list(w, key);
	write_each_member(w, members);
	json_write_close_list(w);
}

static void write_response(struct json_writer *w, const struct cs_action *a)
{
	const struct api_listing *shown = a->listing ? a->listing : a->shows;
	if (shown) {
		write_member_names(w, "response", &shown->members);
		return;
	}
	json_write_open_list(w, "response");
	write_names(w, a->answer ? a->says : "success|displaytext", "string", NULL);
	json_write_close_list(w);
}

static void write_api(struct json_writer *w, const struct cs_action *a, const struct str *related)
{
	const struct api_listing *shown = a->listing ? a->listing : a->shows;
	json_write_open(w, NULL);
	json_write_z(w, "name", a->name);
	json_write_z(w, "description", a->doc);
	json_write_bool(w, "isasync", cs_is_async(a));
	json_write_text(w, "related", shown ? related[shown->kind] : STR_NONE);
	write_params(w, &a->args, related);
	write_response(w, a);
	json_write_close(w);
}

static RESULT list_apis(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct api_entries *all = &e->face->entries;
	struct str name = ((const struct api_args *) args)->name;
	bool *permitted = arena_new_array(e->c->arena, bool, all->count);
	struct str *related = arena_new_array(e->c->arena, struct str, KIND_COUNT);
	size_t count = 0;
	if (!permitted || !related)
		return ctx_no_memory(e->c);
	TRY(find_permitted(e, permitted));
	for (unsigned kind = 0; kind < KIND_COUNT; kind++)
		related[kind] = find_related(e, permitted, (enum kind) kind);
	for (size_t k = 0; k < all->count; k++) {
		permitted[k] = permitted[k] &&
			       (!name.n || str_equal_nocase(name, str_from(all->at[k].action->name)));
		count += permitted[k];
	}
	if (!count)
		return name.n ? ctx_fail(e->c, ERR_NOT_FOUND,
					 "The api name '%" STR_FMT
					 "' does not exist or is not available for the account.",
					 STR_ARG(name))
			      : OK;
	json_write_int(w, "count", (int64_t) count);
	json_write_open_list(w, "api");
	for (size_t k = 0; k < all->count; k++)
		if (permitted[k])
			write_api(w, cs_row_of(all->at[k].action), related);
	json_write_close_list(w);
	return OK;
}

/* ---- listCapabilities ---- */

#define CAPABILITIES                                                                                         \
	"securitygroupsenabled|dynamicrolesenabled|cloudstackversion|userpublictemplateenabled|supportELB|"  \
	"projectinviterequired|allowusercreateprojects|customdiskofferingminsize|"                           \
	"customdiskofferingmaxsize|regionsecondaryenabled|kvmsnapshotenabled|allowuserviewdestroyedvm|"      \
	"allowuserexpungerecovervm|allowuserexpungerecovervolume|allowuserviewalldomainaccounts|"            \
	"kubernetesserviceenabled|kubernetesclusterexperimentalfeaturesenabled|defaultuipagesize"
static RESULT list_capabilities(struct cs_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open(w, "capability");
	json_write_bool(w, "securitygroupsenabled", true);
	json_write_bool(w, "dynamicrolesenabled", true);
	json_write_z(w, "cloudstackversion", CS_VERSION);
	json_write_bool(w, "userpublictemplateenabled", true);
	json_write_z(w, "supportELB", "false");
	json_write_bool(w, "projectinviterequired", false);
	json_write_bool(w, "allowusercreateprojects", false);
	json_write_int(w, "customdiskofferingminsize", 1);
	json_write_int(w, "customdiskofferingmaxsize", 16384);
	json_write_bool(w, "regionsecondaryenabled", false);
	json_write_bool(w, "kvmsnapshotenabled", true);
	json_write_bool(w, "allowuserviewdestroyedvm",
			cs_read_setting(&e->core, SETTING_USERS_SEE_DESTROYED, 0, e->c->who->account));
	json_write_bool(w, "allowuserexpungerecovervm",
			cs_read_setting(&e->core, SETTING_USERS_RECOVER, 0, e->c->who->account));
	json_write_bool(w, "allowuserexpungerecovervolume", false);
	json_write_bool(w, "allowuserviewalldomainaccounts", false);
	json_write_bool(w, "kubernetesserviceenabled", false);
	json_write_bool(w, "kubernetesclusterexperimentalfeaturesenabled", false);
	json_write_int(w, "defaultuipagesize", 20);
	json_write_close(w);
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("listApis", "ec2:DescribeRegions"), .flags = API_FOR_ALL,
	 .args = PARAMS(struct api_args, api_params), .answer = list_apis,
	 .says = "name|description|isasync|related|params|response",
	 .doc = "Lists the commands that the caller may run."},
	{CS_ACTION("listCapabilities", "ec2:DescribeRegions"), .flags = API_FOR_ALL,
	 .answer = list_capabilities, .says = CAPABILITIES, .doc = "Lists the capabilities of this cloud."},
};
const struct api_actions cs_api_actions = API_ACTIONS(actions);
