/* SPDX-License-Identifier: Apache-2.0
 * Limits and quotas: those of the account, which EC2's calls are held to as well. What has no limit of its
 * own here is shown as it is, and cannot be set otherwise. Source: Compute API reference, "Limits", "Quota
 * sets". */
#include "api/openstack/core/action.h"
#include "api/openstack/core/write.h"
#include "engine/instance/server_group.h"
#include "engine/people/account.h"
#include "engine/people/user_limit.h"
#include "engine/quota.h"
#include "engine/tag.h"
#include "store/account.h"
#include "store/key_pair.h"
#include "store/server_group.h"

enum { UNLIMITED = -1, MIB = 1 << 20 };

/* ---- the figures ---- */

struct figures {
	int64_t instances, cores, ram, groups, addresses, key_pairs, security_groups;
};

static struct figures count_used(struct os_call *e, const struct account *account)
{
	const struct tables *t = os_tables(e);
	const struct account_usage *usage = account_usage(account);
	struct figures used = {0};
	if (usage)
		used = (struct figures){
			.instances = __atomic_load_n(&usage->instances, __ATOMIC_RELAXED),
			.cores = __atomic_load_n(&usage->vcpus, __ATOMIC_RELAXED),
			.ram = __atomic_load_n(&usage->memory, __ATOMIC_RELAXED),
			.addresses = __atomic_load_n(&usage->addresses, __ATOMIC_RELAXED),
			.security_groups = __atomic_load_n(&usage->groups, __ATOMIC_RELAXED),
		};
	for (const struct server_group *g = server_group_first_by_account(t, account->row.id); g;
	     g = server_group_next_by_account(t, g))
		used.groups++;
	for (const struct key_pair *k = key_pair_first_by_account(t, account->row.id); k;
	     k = key_pair_next_by_account(t, k))
		used.key_pairs++;
	return used;
}

/* Nova's names, since and until when, and what stands for them. */
static const struct quota_row {
	const char *name;
	int until;          /* a microversion; 0: the last */
	int64_t fixed;      /* where no field of the account is it */
	int64_t unit;       /* that those count in; 0: 1 */
	size_t limit, used; /* in struct account, struct figures; + 1; 0: none */
} quota_rows[] = {
#define LIMIT(field) offsetof(struct account, limit_##field) + 1
#define USED(member) offsetof(struct figures, member) + 1
	{"instances", 0, 0, 0, LIMIT(instances), USED(instances)},
	{"cores", 0, 0, 0, LIMIT(vcpus), USED(cores)},
	{"ram", 0, 0, MIB, LIMIT(memory), USED(ram)},
	{"key_pairs", 0, UNLIMITED, 0, 0, USED(key_pairs)},
	{"metadata_items", 0, TAG_COUNT_MAX, 0, 0, 0},
	{"server_groups", 0, SERVER_GROUPS_MAX, 0, 0, USED(groups)},
	{"server_group_members", 0, SERVER_GROUP_MEMBERS_MAX, 0, 0, 0},
	{"floating_ips", 35, 0, 0, LIMIT(addresses), USED(addresses)},
	{"fixed_ips", 35, UNLIMITED, 0, 0, 0},
	{"security_groups", 35, 0, 0, LIMIT(groups), USED(security_groups)},
	{"security_group_rules", 35, UNLIMITED, 0, 0, 0},
	{"injected_files", 56, 0, 0, 0, 0},
	{"injected_file_content_bytes", 56, 0, 0, 0, 0},
	{"injected_file_path_bytes", 56, 0, 0, 0, 0},
#undef USED
#undef LIMIT
};
enum { QUOTA_ROWS = sizeof quota_rows / sizeof quota_rows[0] };

static int64_t limit_of(const struct quota_row *q, const struct account *account)
{
	if (!q->limit)
		return q->fixed;
	int64_t limit = *(const int64_t *) (const void *) ((const char *) account + q->limit - 1);
	return limit < 0 ? UNLIMITED : q->unit ? limit / q->unit : limit;
}

static int64_t used_of(const struct quota_row *q, const struct figures *used)
{
	int64_t used_units =
		q->used ? *(const int64_t *) (const void *) ((const char *) used + q->used - 1) : 0;
	return q->unit ? used_units / q->unit : used_units;
}

/* ---- quota sets ---- */

struct os_quota {
	struct account_limits wish;
	struct str project, class, tenant, user;
	bool force;
	int64_t instances, cores, ram; /* ram: MiB */
	bool has_instances, has_cores, has_ram;
};
#define PROJECT OS_PATH(struct os_quota, "project_id", project, .doc = "The project.")
#define P(wire, member, has)                                                                                 \
	OS_BODY(struct os_quota, wire, member, .min = -1, .max = INT32_MAX,                                  \
		.given = offsetof(struct os_quota, has) + 1, .doc = "-1: no limit.")
#define USER                                                                                                 \
	OS_QUERY(struct os_quota, "user_id", user,                                                           \
		 .doc = "One user's in the project: of instances, cores and ram there may be others.")
static const struct param project_params[] = {PROJECT, USER};
#define LIMITS                                                                                               \
	P("instances", instances, has_instances), P("cores", cores, has_cores), P("ram", ram, has_ram),      \
		OS_UNBUILT("key_pairs", .only = "-1"), OS_UNBUILT("metadata_items", .only = "50"),           \
		OS_UNBUILT("server_groups", .only = "100"),                                                  \
		OS_UNBUILT("server_group_members", .only = "100"), OS_UNBUILT("floating_ips", .until = 35),  \
		OS_UNBUILT("fixed_ips", .until = 35, .only = "-1"),                                          \
		OS_UNBUILT("security_groups", .until = 35),                                                  \
		OS_UNBUILT("security_group_rules", .until = 35, .only = "-1"),                               \
		OS_UNBUILT("injected_files", .until = 56, .only = "0"),                                      \
		OS_UNBUILT("injected_file_content_bytes", .until = 56, .only = "0"),                         \
		OS_UNBUILT("injected_file_path_bytes", .until = 56, .only = "0")
static const struct param update_params[] = {
	PROJECT,
	USER,
	LIMITS,
	OS_BODY(struct os_quota, "force", force, .doc = "A limit below what is used is no error anyhow."),
	OS_BODY(struct os_quota, "tenant_id", tenant, .doc = "Means nothing: the path names the project."),
};
#define CLASS OS_PATH(struct os_quota, "class", class, .doc = "default: there is no other.")
static const struct param class_params[] = {CLASS};
static const struct param update_class_params[] = {CLASS, LIMITS};
#undef CLASS
#undef LIMITS
#undef P

static RESULT find_account(struct os_call *e, const struct os_quota *a, const struct account **ret_account)
{
	struct ref ref = {0};
	const struct row *left = NULL;
	if (os_parse_id(a->project, KIND_ACCOUNT, &ref))
		left = api_find_in_change(&e->change, KIND_ACCOUNT, ref.prefix);
	const struct account *account = left ? account_of(left) : account_find(os_tables(e), ref.prefix);
	if (!os_is_admin(e) && !(account && uuid_equal(account->row.id, e->c->who->account)))
		return ctx_fail(e->c, ERR_DENIED, "Policy doesn't allow %s to be performed.",
				e->action->permit);
	if (!account || !row_is_live(&account->row))
		return ctx_fail_field(e->c, ERR_INVALID, STR("project_id"),
				      "Project ID %" STR_FMT " is not a valid project.",
				      STR_ARG(str_slice(a->project, 0, 64)));
	*ret_account = account;
	return OK;
}

/* ---- limits ---- */

struct os_limits {
	struct str project;
	bool reserved;
};
static const struct param limits_params[] = {
	OS_QUERY(struct os_limits, "tenant_id", project, .doc = "Another project's, for administrators."),
	OS_QUERY(struct os_limits, "reserved", reserved, .doc = "Says nothing: what is reserved is used."),
};

static RESULT show_limits(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_quota asked = {.project = ((const struct os_limits *) args)->project};
	const struct account *account = NULL;
	if (!asked.project.n)
		asked.project = uuid_to_str(e->c->arena, e->c->who->account);
	TRY(find_account(e, &asked, &account));
	struct figures used = count_used(e, account);
	int version = e->request.version;
	json_write_open_list(w, "rate");
	json_write_close_list(w);
	json_write_open(w, "absolute");
	json_write_int(w, "maxTotalInstances", limit_of(&quota_rows[0], account));
	json_write_int(w, "totalInstancesUsed", used.instances);
	json_write_int(w, "maxTotalCores", limit_of(&quota_rows[1], account));
	json_write_int(w, "totalCoresUsed", used.cores);
	json_write_int(w, "maxTotalRAMSize", limit_of(&quota_rows[2], account));
	json_write_int(w, "totalRAMUsed", used_of(&quota_rows[2], &used));
	json_write_int(w, "maxTotalKeypairs", UNLIMITED);
	json_write_int(w, "maxServerMeta", TAG_COUNT_MAX);
	json_write_int(w, "maxServerGroups", SERVER_GROUPS_MAX);
	json_write_int(w, "totalServerGroupsUsed", used.groups);
	json_write_int(w, "maxServerGroupMembers", SERVER_GROUP_MEMBERS_MAX);
	if (version <= 35) {
		json_write_int(w, "maxTotalFloatingIps", account->limit_addresses);
		json_write_int(w, "totalFloatingIpsUsed", used.addresses);
		json_write_int(w, "maxSecurityGroups", account->limit_groups);
		json_write_int(w, "totalSecurityGroupsUsed", used.security_groups);
		json_write_int(w, "maxSecurityGroupRules", UNLIMITED);
	}
	if (version <= 38)
		json_write_int(w, "maxImageMeta", TAG_COUNT_MAX);
	if (version <= 56) {
		json_write_int(w, "maxPersonality", 0);
		json_write_int(w, "maxPersonalitySize", 0);
	}
	json_write_close(w);
	return OK;
}

/* ---- quota sets, shown ---- */

static void write_set(struct os_call *e, struct json_writer *w, const struct account *account)
{
	for (size_t k = 0; k < QUOTA_ROWS; k++)
		if (!quota_rows[k].until || e->request.version <= quota_rows[k].until)
			json_write_int(w, quota_rows[k].name, limit_of(&quota_rows[k], account));
}

/* The account as that user finds it; and what the user uses, of what users have limits. */
static void narrow_to_user(struct os_call *e, const struct os_quota *a, struct account *account,
			   struct figures *used)
{
	struct user_figures limits, figures;
	struct ref user = {0};
	if (!a->user.n || !os_parse_id(a->user, KIND_USER, &user))
		return;
	engine_read_user_limits(os_tables(e), account, user.prefix, &limits);
	engine_count_user_usage(os_tables(e), account->row.id, user.prefix, &figures);
	account->limit_instances = limits.instances;
	account->limit_vcpus = limits.vcpus;
	account->limit_memory = limits.memory;
	used->instances = figures.instances;
	used->cores = figures.vcpus;
	used->ram = figures.memory;
}

static RESULT show_quota(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_quota *a = args;
	const struct account *account = NULL;
	struct figures used = {0};
	TRY(find_account(e, a, &account));
	struct account shown = *account;
	narrow_to_user(e, a, &shown, &used);
	json_write_text(w, "id", a->project);
	write_set(e, w, &shown);
	return OK;
}

static RESULT show_defaults(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_quota *a = args;
	struct account account = {0};
	engine_get_default_limits(os_tables(e), &account);
	json_write_text(w, "id", a->project);
	write_set(e, w, &account);
	return OK;
}

static RESULT show_detail(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_quota *a = args;
	const struct account *account = NULL;
	TRY(find_account(e, a, &account));
	struct figures used = count_used(e, account);
	struct account shown = *account;
	narrow_to_user(e, a, &shown, &used);
	json_write_text(w, "id", a->project);
	for (size_t k = 0; k < QUOTA_ROWS; k++) {
		if (quota_rows[k].until && e->request.version > quota_rows[k].until)
			continue;
		json_write_open(w, quota_rows[k].name);
		json_write_int(w, "in_use", used_of(&quota_rows[k], &used));
		json_write_int(w, "limit", limit_of(&quota_rows[k], &shown));
		json_write_int(w, "reserved", 0);
		json_write_close(w);
	}
	return OK;
}

static struct ref ref_of(struct os_call *e, const struct account *account)
{
	return (struct ref){.kind = KIND_ACCOUNT,
			    .prefix = account->row.id,
			    .bits = 128,
			    .text = uuid_to_str(e->c->arena, account->row.id),
			    .field = STR("project_id")};
}

/* Those that are said; the others stay. */
static void take_limits(struct os_quota *a, struct ref account)
{
	a->wish = account_limits_all(account, ACCOUNT_LIMIT_KEEP);
	if (a->has_instances)
		a->wish.instances = a->instances;
	if (a->has_cores)
		a->wish.vcpus = a->cores;
	if (a->has_ram)
		a->wish.memory = a->ram < 0 ? UNLIMITED : a->ram * MIB;
}

static RESULT take_user(struct os_call *e, struct os_quota *a)
{
	if (!a->user.n)
		return OK;
	if (!os_parse_id(a->user, KIND_USER, &a->wish.user))
		return ctx_fail_field(e->c, ERR_INVALID, STR("user_id"),
				      "User %" STR_FMT " could not be found.",
				      STR_ARG(str_slice(a->user, 0, 64)));
	a->wish.user.field = STR("user_id");
	a->wish.force = a->force;
	return OK;
}

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_quota *a = args;
	const struct account *account = NULL;
	TRY(find_account(e, a, &account));
	take_limits(a, ref_of(e, account));
	return take_user(e, a);
}

/* Compute's own: volumes and networks have theirs. */
static RESULT prepare_reset(struct os_call *e, void *args)
{
	struct os_quota *a = args;
	const struct account *account = NULL;
	struct account standard = {0};
	TRY(find_account(e, a, &account));
	engine_get_default_limits(os_tables(e), &standard);
	a->wish = account_limits_all(ref_of(e, account), ACCOUNT_LIMIT_KEEP);
	a->wish.instances = standard.limit_instances;
	a->wish.vcpus = standard.limit_vcpus;
	a->wish.memory = standard.limit_memory;
	a->wish.forgets_user = true;
	return take_user(e, a);
}

static RESULT show_updated(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_quota *a = args;
	const struct account *account = NULL;
	struct figures used = {0};
	TRY(find_account(e, a, &account));
	struct account shown = *account;
	narrow_to_user(e, a, &shown, &used);
	write_set(e, w, &shown);
	return OK;
}

/* ---- the class of all projects: what new ones get ---- */

static RESULT check_class(struct os_call *e, const struct os_quota *a)
{
	return str_is(a->class, "default") ? OK
					   : ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SETTING,
							   "Quota class %" STR_FMT " could not be found.",
							   STR_ARG(str_slice(a->class, 0, 64)));
}

static RESULT show_class(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_quota *a = args;
	struct account fresh = {0};
	TRY(check_class(e, a));
	engine_get_default_limits(os_tables(e), &fresh);
	if (os_action_of(e)->method == HTTP_GET)
		json_write_text(w, "id", a->class);
	write_set(e, w, &fresh);
	return OK;
}

static RESULT prepare_class(struct os_call *e, void *args)
{
	TRY(check_class(e, args));
	take_limits(args, (struct ref){0});
	return OK;
}

#define CLASS "/v2.1/os-quota-class-sets/{class}"
#define SET "/v2.1/os-quota-sets/{project_id}"
#define ARGS OS_PARAMS(struct os_quota, project_params)
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/limits", .permit = "os_compute_api:limits",
	 .args = OS_PARAMS(struct os_limits, limits_params), .item = "limits", .answer = show_limits,
	 .doc = "Limits of the project, and what it uses."},
	{HTTP_GET, SET, .permit = "os_compute_api:os-quota-sets:show", .args = ARGS, .item = "quota_set",
	 .answer = show_quota, .doc = "Quotas of a project."},
	{HTTP_GET, SET "/detail", .permit = "os_compute_api:os-quota-sets:detail", .args = ARGS,
	 .item = "quota_set", .answer = show_detail, .doc = "With what is used."},
	{HTTP_GET, SET "/defaults", .permit = "os_compute_api:os-quota-sets:defaults", .args = ARGS,
	 .item = "quota_set", .answer = show_defaults, .doc = "What a new project gets."},
	{HTTP_PUT, SET, .permit = "os_compute_api:os-quota-sets:update", .flags = API_WRITES | OS_ADMIN,
	 .args = OS_PARAMS(struct os_quota, update_params), .wrap = "quota_set", .item = "quota_set",
	 .prepare = prepare_update, .operation = engine_set_limits_run, .answer = show_updated,
	 .returns = KIND_ACCOUNT, .doc = "Sets quotas of a project."},
	{HTTP_DELETE, SET, .permit = "os_compute_api:os-quota-sets:delete", .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = ARGS, .prepare = prepare_reset, .operation = engine_set_limits_run,
	 .doc = "As a new project has them."},
	{HTTP_GET, CLASS, .permit = "os_compute_api:os-quota-class-sets:show", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_quota, class_params), .item = "quota_class_set", .answer = show_class,
	 .doc = "What new projects get."},
	{HTTP_PUT, CLASS, .permit = "os_compute_api:os-quota-class-sets:update",
	 .flags = API_WRITES | OS_ADMIN, .args = OS_PARAMS(struct os_quota, update_class_params),
	 .wrap = "quota_class_set", .item = "quota_class_set", .prepare = prepare_class,
	 .operation = engine_set_default_limits_run, .answer = show_class,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Changes it, for those that come."},
};
const struct os_actions os_compute_limit_actions = OS_ACTIONS(OS_COMPUTE, actions);
