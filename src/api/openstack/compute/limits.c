/* SPDX-License-Identifier: Apache-2.0
 * Limits and quotas of the account, which EC2 calls obey, too. Limits that nothing enforces (limits.def:
 * KEPT) are stored and shown. Source: Compute API reference, "Limits", "Quota sets". */
#include "api/openstack/core/action.h"
#include "api/openstack/core/write.h"
#include "engine/people/account/account.h"
#include "engine/people/user_limit.h"
#include "engine/quota.h"
#include "engine/tag.h"
#include "store/account.h"

enum { UNLIMITED = -1, MIB = 1 << 20 };

/* ---- the figures ---- */

struct figures {
	int64_t instances, cores, ram, groups, addresses, key_pairs, security_groups, security_group_rules;
};

static struct figures count_used(const struct account *account)
{
	const struct account_usage *usage = account_usage(account);
	struct figures used = {0};
	if (usage)
		used = (struct figures){
			.instances = __atomic_load_n(&usage->instances, __ATOMIC_RELAXED),
			.cores = __atomic_load_n(&usage->vcpus, __ATOMIC_RELAXED),
			.ram = __atomic_load_n(&usage->memory, __ATOMIC_RELAXED),
			.addresses = __atomic_load_n(&usage->addresses, __ATOMIC_RELAXED),
			.security_groups = __atomic_load_n(&usage->groups, __ATOMIC_RELAXED),
			.security_group_rules = __atomic_load_n(&usage->rules, __ATOMIC_RELAXED),
			.groups = __atomic_load_n(&usage->server_groups, __ATOMIC_RELAXED),
			.key_pairs = __atomic_load_n(&usage->key_pairs, __ATOMIC_RELAXED),
		};
	return used;
}

/* Nova's quotas, their last microversion, and the account's fields for them. */
enum os_quota_name {
	Q_INSTANCES,
	Q_CORES,
	Q_RAM,
	Q_KEY_PAIRS,
	Q_METADATA_ITEMS,
	Q_SERVER_GROUPS,
	Q_SERVER_GROUP_MEMBERS,
	Q_FLOATING_IPS,
	Q_FIXED_IPS,
	Q_SECURITY_GROUPS,
	Q_SECURITY_GROUP_RULES,
	Q_INJECTED_FILES,
	Q_INJECTED_FILE_BYTES,
	Q_INJECTED_PATH_BYTES,
	QUOTA_ROWS,
};
static const struct quota_row {
	const char *name;
	int until;                /* last microversion; 0: unbounded */
	int64_t unit;             /* unit of the account's limit; 0: 1 */
	size_t limit, wish, used; /* offsets in struct account, account_limits and figures (+ 1; 0: no
	                           * usage) */
} quota_rows[QUOTA_ROWS] = {
#define LIMIT(field) offsetof(struct account, limit_##field), offsetof(struct account_limits, field)
#define USED(member) offsetof(struct figures, member) + 1
	[Q_INSTANCES] = {"instances", 0, 0, LIMIT(instances), USED(instances)},
	[Q_CORES] = {"cores", 0, 0, LIMIT(vcpus), USED(cores)},
	[Q_RAM] = {"ram", 0, MIB, LIMIT(memory), USED(ram)},
	[Q_KEY_PAIRS] = {"key_pairs", 0, 0, LIMIT(key_pairs), USED(key_pairs)},
	[Q_METADATA_ITEMS] = {"metadata_items", 0, 0, LIMIT(metadata_items), 0},
	[Q_SERVER_GROUPS] = {"server_groups", 0, 0, LIMIT(server_groups), USED(groups)},
	[Q_SERVER_GROUP_MEMBERS] = {"server_group_members", 0, 0, LIMIT(server_group_members), 0},
	[Q_FLOATING_IPS] = {"floating_ips", 35, 0, LIMIT(addresses), USED(addresses)},
	[Q_FIXED_IPS] = {"fixed_ips", 35, 0, LIMIT(fixed_ips), 0},
	[Q_SECURITY_GROUPS] = {"security_groups", 35, 0, LIMIT(groups), USED(security_groups)},
	[Q_SECURITY_GROUP_RULES] = {"security_group_rules", 35, 0, LIMIT(rules), USED(security_group_rules)},
	[Q_INJECTED_FILES] = {"injected_files", 56, 0, LIMIT(injected_files), 0},
	[Q_INJECTED_FILE_BYTES] = {"injected_file_content_bytes", 56, 0, LIMIT(injected_file_bytes), 0},
	[Q_INJECTED_PATH_BYTES] = {"injected_file_path_bytes", 56, 0, LIMIT(injected_path_bytes), 0},
#undef USED
#undef LIMIT
};

static int64_t limit_of(const struct quota_row *q, const struct account *account)
{
	int64_t limit = *(const int64_t *) (const void *) ((const char *) account + q->limit);
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
	int64_t asked[QUOTA_ROWS]; /* as sent; ram in MiB */
	bool has[QUOTA_ROWS];
};
#define PROJECT OS_PATH(struct os_quota, "project_id", project, .doc = "Project.")
#define P(wire, name, ...)                                                                                   \
	OS_BODY(struct os_quota, wire, asked[name], .min = -1, .max = INT32_MAX,                             \
		.given = offsetof(struct os_quota, has[name]) + 1, .doc = "Quota; -1: unlimited.",           \
		__VA_ARGS__)
#define USER                                                                                                 \
	OS_QUERY(struct os_quota, "user_id", user,                                                           \
		 .doc = "User whose own quota of instances, cores and RAM in the project is meant.")
static const struct param project_params[] = {PROJECT, USER};
#define LIMITS                                                                                               \
	P("instances", Q_INSTANCES), P("cores", Q_CORES), P("ram", Q_RAM), P("key_pairs", Q_KEY_PAIRS),      \
		P("metadata_items", Q_METADATA_ITEMS), P("server_groups", Q_SERVER_GROUPS),                  \
		P("server_group_members", Q_SERVER_GROUP_MEMBERS),                                           \
		P("floating_ips", Q_FLOATING_IPS, .until = 35), P("fixed_ips", Q_FIXED_IPS, .until = 35),    \
		P("security_groups", Q_SECURITY_GROUPS, .until = 35),                                        \
		P("security_group_rules", Q_SECURITY_GROUP_RULES, .until = 35),                              \
		P("injected_files", Q_INJECTED_FILES, .until = 56),                                          \
		P("injected_file_content_bytes", Q_INJECTED_FILE_BYTES, .until = 56),                        \
		P("injected_file_path_bytes", Q_INJECTED_PATH_BYTES, .until = 56)
static const struct param update_params[] = {
	PROJECT,
	USER,
	LIMITS,
	OS_BODY(struct os_quota, "force", force,
		.doc = "Accepted and ignored; a quota below the present usage is always allowed."),
	OS_BODY(struct os_quota, "tenant_id", tenant,
		.doc = "Accepted and ignored; the path names the project."),
};
#define CLASS OS_PATH(struct os_quota, "class", class, .doc = "Quota class; only default exists.")
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
	OS_QUERY(struct os_limits, "tenant_id", project,
		 .doc = "Project, if not the caller's; for administrators."),
	OS_QUERY(struct os_limits, "reserved", reserved,
		 .doc = "Accepted and ignored; reserved resources count as used."),
};

static RESULT show_limits(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_quota asked = {.project = ((const struct os_limits *) args)->project};
	const struct account *account = NULL;
	if (!asked.project.n)
		asked.project = uuid_to_str(e->c->arena, e->c->who->account);
	TRY(find_account(e, &asked, &account));
	struct figures used = count_used(account);
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
	json_write_int(w, "maxTotalKeypairs", account->limit_key_pairs);
	json_write_int(w, "maxServerMeta", account->limit_metadata_items);
	json_write_int(w, "maxServerGroups", account->limit_server_groups);
	json_write_int(w, "totalServerGroupsUsed", used.groups);
	json_write_int(w, "maxServerGroupMembers", account->limit_server_group_members);
	if (version <= 35) {
		json_write_int(w, "maxTotalFloatingIps", account->limit_addresses);
		json_write_int(w, "totalFloatingIpsUsed", used.addresses);
		json_write_int(w, "maxSecurityGroups", account->limit_groups);
		json_write_int(w, "totalSecurityGroupsUsed", used.security_groups);
		json_write_int(w, "maxSecurityGroupRules", account->limit_rules);
	}
	if (version <= 38)
		json_write_int(w, "maxImageMeta", TAG_COUNT_MAX);
	if (version <= 56) {
		json_write_int(w, "maxPersonality", account->limit_injected_files);
		json_write_int(w, "maxPersonalitySize", account->limit_injected_file_bytes);
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

/* Replaces the limits and the usage by those of the user, for the figures that users have. */
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
	struct figures used = count_used(account);
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

static int64_t *wished(struct os_quota *a, size_t k)
{
	return (int64_t *) (void *) ((char *) &a->wish + quota_rows[k].wish);
}

/* Sets the limits that were sent and keeps the others. */
static void take_limits(struct os_quota *a, struct ref account)
{
	a->wish = account_limits_all(account, ACCOUNT_LIMIT_KEEP);
	for (size_t k = 0; k < QUOTA_ROWS; k++) {
		int64_t unit = quota_rows[k].unit ? quota_rows[k].unit : 1;
		if (a->has[k])
			*wished(a, k) = a->asked[k] < 0 ? UNLIMITED : a->asked[k] * unit;
	}
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

/* Resets only Compute's limits; volumes and networks keep theirs. */
static RESULT prepare_reset(struct os_call *e, void *args)
{
	struct os_quota *a = args;
	const struct account *account = NULL;
	struct account standard = {0};
	TRY(find_account(e, a, &account));
	engine_get_default_limits(os_tables(e), &standard);
	a->wish = account_limits_all(ref_of(e, account), ACCOUNT_LIMIT_KEEP);
	for (size_t k = 0; k < Q_FLOATING_IPS; k++)
		*wished(a, k) =
			*(const int64_t *) (const void *) ((const char *) &standard + quota_rows[k].limit);
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
	 .doc = "Shows the limits and the usage of the project."},
	{HTTP_GET, SET, .permit = "os_compute_api:os-quota-sets:show", .args = ARGS, .item = "quota_set",
	 .answer = show_quota, .doc = "Shows the quotas of a project."},
	{HTTP_GET, SET "/detail", .permit = "os_compute_api:os-quota-sets:detail", .args = ARGS,
	 .item = "quota_set", .answer = show_detail, .doc = "Shows the quotas and the usage of a project."},
	{HTTP_GET, SET "/defaults", .permit = "os_compute_api:os-quota-sets:defaults", .args = ARGS,
	 .item = "quota_set", .answer = show_defaults, .doc = "Shows the default quotas."},
	{HTTP_PUT, SET, .permit = "os_compute_api:os-quota-sets:update", .flags = API_WRITES | OS_ADMIN,
	 .args = OS_PARAMS(struct os_quota, update_params), .wrap = "quota_set", .item = "quota_set",
	 .prepare = prepare_update, .operation = engine_set_limits_run, .answer = show_updated,
	 .returns = KIND_ACCOUNT, .doc = "Sets quotas of a project."},
	{HTTP_DELETE, SET, .permit = "os_compute_api:os-quota-sets:delete", .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = ARGS, .prepare = prepare_reset, .operation = engine_set_limits_run,
	 .doc = "Resets the quotas of a project to the defaults."},
	{HTTP_GET, CLASS, .permit = "os_compute_api:os-quota-class-sets:show", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_quota, class_params), .item = "quota_class_set", .answer = show_class,
	 .doc = "Shows the quotas of new projects."},
	{HTTP_PUT, CLASS, .permit = "os_compute_api:os-quota-class-sets:update",
	 .flags = API_WRITES | OS_ADMIN, .args = OS_PARAMS(struct os_quota, update_class_params),
	 .wrap = "quota_class_set", .item = "quota_class_set", .prepare = prepare_class,
	 .operation = engine_set_default_limits_run, .answer = show_class,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Changes the quotas of new projects."},
};
const struct os_actions os_compute_limit_actions = OS_ACTIONS(OS_COMPUTE, actions);
