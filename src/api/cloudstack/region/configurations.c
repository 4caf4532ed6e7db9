/* SPDX-License-Identifier: Apache-2.0
 * Configurations: CloudStack's names for settings of the region, and for fixed values. Names without a
 * meaning here are not listed. A fixed value can only be set to itself. A setting of the scope "account" can
 * have a value of its own for an account: a setting of the region named NAME@ACCOUNT. Source: API reference,
 * "Configuration", 4.18; types: ConfigurationServerImpl.getConfigurationType(); messages about scopes:
 * ConfigurationManagerImpl.
 */
#include "api/cloudstack/account/limits.h"
#include "api/cloudstack/region/region.h"
#include "engine/quota.h"
#include "engine/region/region.h"
#include "model/account.h"

#define ACCOUNTS "Account Defaults"
#define PROJECTS "Project Defaults"
/* Default limit of accounts, and of projects, which are accounts here. */
#define DEFAULT_OF(word, number, standard_word, text)                                                        \
	{.name = "max.account." word,                                                                        \
	 .category = ACCOUNTS,                                                                               \
	 .kind = "Number",                                                                                   \
	 .type = (number),                                                                                   \
	 .standard_text = (standard_word),                                                                   \
	 .doc = "The default maximum number of " text " of an account that is made from now on"},            \
	{                                                                                                    \
		.name = "max.project." word, .category = PROJECTS, .kind = "Number", .type = (number),       \
		.standard_text = (standard_word), .is_alias = true,                                          \
		.doc = "The default maximum number of " text " of a project: as of an account"               \
	}
#define FIXED(word, group, kind_word, scope_word, standard_word, is, text)                                   \
	{.name = (word),                                                                                     \
	 .category = (group),                                                                                \
	 .kind = (kind_word),                                                                                \
	 .scope = (scope_word),                                                                              \
	 .standard_text = (standard_word),                                                                   \
	 .value = (is),                                                                                      \
	 .doc = (text)},
/* The region's setting of that name. */
#define SETTING(word, kind_word, scope_word, number, standard_word, text, ...)                               \
	{                                                                                                    \
		.name = (word), .category = "Advanced", .kind = (kind_word), .scope = (scope_word),          \
		.is_setting = true, .standard = (number), .standard_text = (standard_word), .doc = (text),   \
		__VA_ARGS__                                                                                  \
	}
static const struct configuration {
	const char *name, *category, *kind, *doc;
	const char *scope;         /* NULL or empty: global */
	const char *standard_text; /* CloudStack's default */
	size_t type;               /* resource whose default limit this is */
	const char *value;         /* or the fixed value */
	bool is_setting, is_truth, is_alias;
	int64_t standard; /* default of a setting; booleans are 1 or 0 */
} configurations[] = {
	DEFAULT_OF("cpus", 8, "40", "CPU cores"),
	DEFAULT_OF("memory", 9, "40960", "MiB of memory"),
	DEFAULT_OF("networks", 6, "20", "networks"),
	DEFAULT_OF("primary.storage", 10, "200", "GiB of volumes"),
	DEFAULT_OF("public.ips", 1, "20", "public addresses"),
	DEFAULT_OF("snapshots", 3, "20", "snapshots"),
	DEFAULT_OF("templates", 4, "20", "templates"),
	DEFAULT_OF("user.vms", 0, "20", "virtual machines"),
	DEFAULT_OF("volumes", 2, "20", "volumes"),
	DEFAULT_OF("vpcs", 7, "20", "VPCs"),
	SETTING("allow.user.expunge.recover.vm", "Boolean", "account", 0, "false",
		"Determines whether users can expunge or recover their vm", .is_truth = true),
	SETTING("allow.user.view.destroyed.vm", "Boolean", "account", 0, "false",
		"Determines whether users can view their destroyed or expunging vm", .is_truth = true),
	SETTING("expunge.delay", "Number", "", EXPUNGE_DELAY_S, "86400",
		"Seconds until a virtual machine that is destroyed is expunged"),
#include "api/cloudstack/region/configurations.def"
};
enum { CONFIGURATIONS = sizeof configurations / sizeof configurations[0] };

struct configuration_args {
	struct cs_list_args list;
	struct account_limits limits;
	struct str category, value, group, subgroup;
	struct ref account, domain, zone;
	int64_t number;
	struct setting_wish setting;
};
#define P(wire, member, ...) PARAM(struct configuration_args, wire, member, __VA_ARGS__)
#define SCOPES                                                                                               \
	P("accountid", account, .kind = KIND_ACCOUNT, .doc = "Account."),                                    \
		P("domainid", domain, .kind = KIND_DOMAIN, .doc = "Domain."),                                \
		P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone.")
static const struct param list_params[] = {
	CS_PAGE_PARAMS(struct configuration_args),
	CS_NAME_PARAM(struct configuration_args),
	P("category", category, .doc = "Category."),
	P("accountid", account, .kind = KIND_ACCOUNT, .doc = "Settings of accounts."),
	P("domainid", domain, .kind = KIND_DOMAIN, .doc = "Settings of domains."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Settings of zones."),
	P("group", group, .doc = "Settings of a group, by its name."),
	P("subgroup", subgroup, .doc = "Settings of a subgroup, by its name."),
	NOT_BUILT("clusterid|imagestoreuuid|parent|storageid"),
};
static const struct param update_params[] = {
	P("name", list.name, .flags = REQUIRED, .doc = "Name of the setting."),
	P("value", value, .doc = "New value; -1: no limit."),
	SCOPES,
	NOT_BUILT("clusterid|imagestoreuuid|storageid"),
};
static const struct param reset_params[] = {
	P("name", list.name, .flags = REQUIRED, .doc = "Name of the setting."),
	SCOPES,
	NOT_BUILT("clusterid|imagestoreid|storageid"),
};
#undef P

/* "expunge.delay": "Expunge delay". */
static struct str make_title(struct cs_call *e, const char *name)
{
	struct str title = str_copy(e->c->arena, str_from(name));
	char *at = (char *) title.p;
	for (size_t k = 0; k < title.n; k++)
		at[k] = at[k] == '.' || at[k] == '_' ? ' ' : at[k];
	if (title.n && *at >= 'a' && *at <= 'z')
		*at = (char) (*at - 'a' + 'A');
	return title;
}

static void write_members(struct cs_call *e, struct json_writer *w, const struct configuration *c,
			  int64_t number)
{
	const struct cs_setting_group *group = cs_find_setting_group(c->name);
	json_write_z(w, "category", c->category);
	json_write_z(w, "group", group->group);
	json_write_z(w, "subgroup", group->name);
	json_write_z(w, "name", c->name);
	json_write_text(w, "value",
			c->value      ? str_from(c->value)
			: c->is_truth ? str_from(number ? "true" : "false")
				      : str_print(e->c->arena, "%lld", (long long) number));
	json_write_z(w, "description", c->doc);
	json_write_z(w, "defaultvalue", c->standard_text);
	json_write_z(w, "type", c->kind);
	json_write_text(w, "displaytext", make_title(e, c->name));
	json_write_bool(w, "isdynamic", !c->value && !c->is_alias);
}

/* Name of an account's own value of a setting. */
static struct str name_of_account(struct arena *a, struct str name, uuid account)
{
	char id[UUID_TEXT_SIZE];
	return str_print(a, "%" STR_FMT "@%s", STR_ARG(name), uuid_write(account, id));
}

int64_t cs_read_setting(struct api_call *e, struct str name, int64_t standard, uuid account)
{
	const struct tables *t = api_tables(e);
	int64_t of_region = engine_get_number(t, name, standard);
	return uuid_is_none(account)
		       ? of_region
		       : engine_get_number(t, name_of_account(e->c->arena, name, account), of_region);
}

static int64_t read_number(struct cs_call *e, const struct configuration *c, const struct ref *account)
{
	const struct tables *t = cs_tables(e);
	struct account limits = {0};
	if (c->is_setting)
		return cs_read_setting(&e->core, str_from(c->name), c->standard, account->prefix);
	engine_get_default_limits(t, &limits);
	return c->value ? 0 : cs_read_limit(&limits, c->type);
}

static bool is_of_scope(const struct ref *ref, const struct configuration *c, const char *scope)
{
	return !ref_is_given(ref) || (c->scope && strcmp(c->scope, scope) == 0);
}

static bool is_asked_for(const struct configuration_args *a, const struct configuration *c)
{
	const struct cs_setting_group *group = cs_find_setting_group(c->name);
	return is_of_scope(&a->account, c, "account") && is_of_scope(&a->domain, c, "domain") &&
	       is_of_scope(&a->zone, c, "zone") &&
	       (!a->list.name.n || str_equal_nocase(a->list.name, str_from(c->name))) &&
	       (!a->group.n || str_equal_nocase(a->group, str_from(group->group))) &&
	       (!a->subgroup.n || str_equal_nocase(a->subgroup, str_from(group->name))) &&
	       (!a->category.n || str_equal_nocase(a->category, str_from(c->category))) &&
	       (!a->list.keyword.n || str_contains(str_from(c->name), a->list.keyword));
}

static void write_listed(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct configuration_args *a = e->args;
	write_members(e, w, item, read_number(e, item, &a->account));
}

static RESULT check_scope(struct cs_call *e, enum kind kind, const char *parameter, const struct ref *ref)
{
	const struct row *row = tables_find(cs_tables(e), kind, ref->prefix);
	return !ref_is_given(ref) || (row && row_is_live(row)) ? OK
							       : cs_fail_id(e, kind, parameter, ref->text);
}

static RESULT list_configurations(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct configuration_args *a = args;
	TRY(cs_check_setting_groups(e, a->group, a->subgroup));
	TRY(check_scope(e, KIND_ACCOUNT, "accountid", &a->account));
	TRY(check_scope(e, KIND_DOMAIN, "domainid", &a->domain));
	TRY(check_scope(e, KIND_ZONE, "zoneid", &a->zone));
	const void *listed[CONFIGURATIONS];
	size_t count = 0;
	for (size_t k = 0; k < CONFIGURATIONS; k++)
		if (is_asked_for(a, &configurations[k]))
			listed[count++] = &configurations[k];
	return cs_write_items(e, w, &a->list, "configuration", listed, count, write_listed);
}

bool cs_has_settings(const struct cs_setting_group *group)
{
	for (size_t k = 0; k < CONFIGURATIONS; k++)
		if (cs_find_setting_group(configurations[k].name) == group)
			return true;
	return false;
}

static const struct configuration *find(struct str name)
{
	for (size_t k = 0; k < CONFIGURATIONS; k++)
		if (str_is(name, configurations[k].name))
			return &configurations[k];
	return NULL;
}

static RESULT read_value(struct cs_call *e, const struct configuration *c, struct configuration_args *a)
{
	int64_t least = c->is_setting ? 0 : -1;
	bool is_word = str_equal_nocase(a->value, STR("true")) || str_equal_nocase(a->value, STR("false"));
	if (c->is_truth && is_word) {
		a->number = str_equal_nocase(a->value, STR("true"));
		return OK;
	}
	if (c->is_truth)
		return cs_fail(e, "value", "The value %" STR_FMT " of the parameter %s is not true or false",
			       STR_ARG(a->value), c->name);
	if (!result_is_ok(str_parse_int(a->value, &a->number)) || a->number < least || a->number > INT32_MAX)
		return cs_fail(e, "value",
			       "The value %" STR_FMT " of the parameter %s is not a number of %d to %d",
			       STR_ARG(a->value), c->name, (int) least, INT32_MAX);
	return OK;
}

/* At most one scope, and one that the parameter has. */
static RESULT check_scopes(struct cs_call *e, const struct configuration_args *a,
			   const struct configuration *c)
{
	const struct {
		const char *word, *parameter;
		const struct ref *ref;
		enum kind kind;
	} scopes[] = {{"account", "accountid", &a->account, KIND_ACCOUNT},
		      {"domain", "domainid", &a->domain, KIND_DOMAIN},
		      {"zone", "zoneid", &a->zone, KIND_ZONE}};
	size_t count = 0;
	for (size_t k = 0; k < sizeof scopes / sizeof scopes[0]; k++) {
		TRY(check_scope(e, scopes[k].kind, scopes[k].parameter, scopes[k].ref));
		count += ref_is_given(scopes[k].ref);
		if (!is_of_scope(scopes[k].ref, c, scopes[k].word))
			return cs_fail(e, scopes[k].parameter,
				       "Invalid scope id provided for the parameter %s", c->name);
	}
	return count < 2 ? OK
			 : cs_fail(e, "name",
				   "cannot handle multiple IDs, provide only one ID corresponding to the "
				   "scope");
}

static RESULT find_named(struct cs_call *e, struct configuration_args *a,
			 const struct configuration **ret_configuration)
{
	const struct configuration *c = find(a->list.name);
	if (!c)
		return cs_fail(e, "name", "Config parameter with name %" STR_FMT " doesn't exist",
			       STR_ARG(a->list.name));
	a->limits = account_limits_all((struct ref){0}, ACCOUNT_LIMIT_KEEP);
	a->number = read_number(e, c, &a->account);
	*ret_configuration = c;
	return check_scopes(e, a, c);
}

static RESULT fail_fixed(struct cs_call *e, const struct configuration *c)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("name"),
			      "To change the parameter %s is not supported", c->name);
}

/* value empty: removes the setting. */
static void choose_setting(struct cs_call *e, struct configuration_args *a, const struct configuration *c,
			   struct str value)
{
	struct str name = str_from(c->name);
	if (ref_is_given(&a->account))
		name = name_of_account(e->c->arena, name, a->account.prefix);
	a->setting = (struct setting_wish){name, value};
}

/* The message about unknown names is ConfigurationManagerImpl's; the others are our own. */
static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct configuration_args *a = args;
	const struct configuration *c = NULL;
	TRY(find_named(e, a, &c));
	bool is_fixed = c->is_alias || (c->value && !str_equal_nocase(a->value, str_from(c->value)));
	if (is_fixed && a->value.n)
		return fail_fixed(e, c);
	if (!a->value.n || c->value)
		return OK;
	TRY(read_value(e, c, a));
	if (c->is_setting)
		choose_setting(e, a, c, str_print(e->c->arena, "%lld", (long long) a->number));
	else
		cs_set_limit(&a->limits, c->type, a->number);
	return OK;
}

/* Removing an account's own value leaves the region's. */
static RESULT prepare_reset(struct cs_call *e, void *args)
{
	struct configuration_args *a = args;
	const struct configuration *c = NULL;
	TRY(find_named(e, a, &c));
	if (c->is_alias || (c->value && strcmp(c->value, c->standard_text) != 0))
		return fail_fixed(e, c);
	if (c->value)
		return OK;
	bool is_of_account = ref_is_given(&a->account);
	if (c->is_setting) {
		choose_setting(e, a, c, STR_NONE);
		a->number = is_of_account ? read_number(e, c, &(struct ref){0}) : c->standard;
		return OK;
	}
	TRY(str_parse_int(str_from(c->standard_text), &a->number));
	cs_set_limit(&a->limits, c->type, a->number);
	return OK;
}

static RESULT set(struct op *op, void *args)
{
	struct configuration_args *a = args;
	return a->setting.name.n ? engine_put_setting(op, &a->setting)
				 : engine_set_default_limits(op, &a->limits);
}

static RESULT show_updated(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct configuration_args *a = args;
	json_write_open(w, "configuration");
	write_members(e, w, find(a->list.name), a->number);
	json_write_close(w);
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("listConfigurations", "ec2:DescribeAccountAttributes"), .flags = CS_ADMIN,
	 .args = PARAMS(struct configuration_args, list_params), .answer = list_configurations,
	 .says = "category|group|subgroup|name|value|description|defaultvalue|type|displaytext|isdynamic",
	 .doc = "Lists the settings of this cloud, changeable or fixed."},
	{CS_ACTION("updateConfiguration", "ec2:ModifyAccountLimits"), .flags = API_WRITES | CS_ADMIN,
	 .args = PARAMS(struct configuration_args, update_params), .prepare = prepare_update,
	 .operation = set, .returns = API_RETURNS_NOTHING_STORED, .answer = show_updated,
	 .says = "category|group|subgroup|name|value|description|defaultvalue|type|displaytext|isdynamic",
	 .doc = "Changes a setting."},
	{CS_ACTION("resetConfiguration", "ec2:ModifyAccountLimits"), .flags = API_WRITES | CS_ADMIN,
	 .args = PARAMS(struct configuration_args, reset_params), .prepare = prepare_reset, .operation = set,
	 .returns = API_RETURNS_NOTHING_STORED, .answer = show_updated,
	 .says = "category|group|subgroup|name|value|description|defaultvalue|type|displaytext|isdynamic",
	 .doc = "Resets a setting to its default, or an account's setting to that of the region."},
};
const struct api_actions cs_configuration_actions = API_ACTIONS(actions);
