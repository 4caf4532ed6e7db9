/* SPDX-License-Identifier: Apache-2.0
 * Finds the group of a setting by keywords in the setting's name. Sources: schema-41720to41800.sql for groups and keywords,
 * ConfigDepotImpl.getConfigurationGroupAndSubGroupByName() of 4.19 for the search.
 */
#include "api/cloudstack/region/region.h"

/* In the order in which keywords are tried. Keywords between commas. */
static const struct cs_setting_group groups[] = {
	{"Miscellaneous", "Others", "", 999},
	{"Access", "Account", "", 1},
	{"Access", "Domain", "", 2},
	{"Access", "Project", "", 3},
	{"Access", "LDAP", "", 4},
	{"Access", "SAML", "saml2", 5},
	{"Compute", "Virtual Machine", "vm,instance,cpu,ssh,affinity", 1},
	{"Compute", "Kubernetes", "kubernetes", 2},
	{"Compute", "High Availability", "ha", 3},
	{"Storage", "Images", "template,iso", 1},
	{"Storage", "Volume", "disk,diskoffering", 2},
	{"Storage", "Snapshot", "", 3},
	{"Storage", "VM Snapshot", "vmsnapshot", 4},
	{"Network", "Network", "firewall,vlan,dns,globodns,ipaddress,cidr", 1},
	{"Network", "DHCP", "externaldhcp", 2},
	{"Network", "VPC", "", 3},
	{"Network", "LoadBalancer", "lb,gslb", 4},
	{"Management Server", "API", "", 1},
	{"Management Server", "Alerts", "alert", 2},
	{"Management Server", "Events", "event", 3},
	{"Management Server", "Security", "secure,password,authenticators", 4},
	{"Management Server", "Usage", "", 5},
	{"Management Server", "Limits", "capacity,delay,interval,workers", 6},
	{"Management Server", "Jobs", "job", 7},
	{"Management Server", "Agent", "", 8},
	{"Hypervisor", "Hypervisor", "host", 1},
	{"Hypervisor", "KVM", "libvirt", 2},
	{"Infrastructure", "Primary Storage", "storage,pool,primary", 1},
	{"Infrastructure", "Secondary Storage", "image,secstorage", 2},
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

static const struct {
	const char *name, *doc;
	int precedence;
} parents[] = {
	{"Access", "Identity and access management", 1},
	{"Compute", "Machines", 2},
	{"Storage", "Storage", 3},
	{"Network", "Networks", 4},
	{"Hypervisor", "Hypervisors", 5},
	{"Management Server", "The control plane", 6},
	{"Infrastructure", "Infrastructure", 8},
	{"Miscellaneous", "Other settings", 999},
};

/* True if one of the keywords is the word, or, with is_start, begins it. */
static bool has_keyword(const struct cs_setting_group *group, struct str word, bool is_start)
{
	struct str rest = str_from(group->keywords), keyword;
	while (str_split_next(&rest, ',', &keyword))
		if (keyword.n &&
		    (is_start ? str_starts_with(word, keyword) : str_equal_nocase(word, keyword)))
			return true;
	return false;
}

static const struct cs_setting_group *find_by_word(struct str word)
{
	for (size_t k = 0; k < GROUPS; k++)
		if (str_equal_nocase(word, str_from(groups[k].name)))
			return &groups[k];
	for (int is_start = 0; is_start < 2; is_start++)
		for (size_t k = 0; k < GROUPS; k++)
			if (has_keyword(&groups[k], word, is_start))
				return &groups[k];
	return NULL;
}

const struct cs_setting_group *cs_find_setting_group(const char *setting)
{
	struct str rest = str_from(setting), word;
	while (str_split_next(&rest, '.', &word)) {
		const struct cs_setting_group *found = find_by_word(word);
		if (found)
			return found;
	}
	return &groups[0];
}

RESULT cs_check_setting_groups(struct cs_call *e, struct str group, struct str subgroup)
{
	bool has_group = !group.n, has_subgroup = !subgroup.n;
	for (size_t k = 0; k < GROUPS; k++) {
		has_group = has_group || str_equal_nocase(group, str_from(groups[k].group));
		has_subgroup = has_subgroup || str_equal_nocase(subgroup, str_from(groups[k].name));
	}
	if (!has_group)
		return cs_fail(e, "group", "Invalid configuration group: %" STR_FMT, STR_ARG(group));
	return has_subgroup ? OK
			    : cs_fail(e, "subgroup", "Invalid configuration subgroup: %" STR_FMT,
				      STR_ARG(subgroup));
}

/* ---- listConfigurationGroups ---- */

struct list_groups {
	struct cs_list_args list;
	struct str group;
};
static const struct param params[] = {
	CS_PAGE_PARAMS(struct list_groups),
	PARAM(struct list_groups, "group", group, .doc = "Group by name."),
};

static bool is_used(const char *parent)
{
	for (size_t k = 0; k < GROUPS; k++)
		if (strcmp(groups[k].group, parent) == 0 && cs_has_settings(&groups[k]))
			return true;
	return false;
}

static void write_group(struct cs_call *e, struct json_writer *w, const void *item)
{
	size_t at = *(const size_t *) item;
	(void) e;
	json_write_z(w, "name", parents[at].name);
	json_write_open_list(w, "subgroup");
	for (size_t k = 0; k < GROUPS; k++) {
		if (strcmp(groups[k].group, parents[at].name) != 0 || !cs_has_settings(&groups[k]))
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "name", groups[k].name);
		json_write_int(w, "precedence", groups[k].precedence);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_z(w, "description", parents[at].doc);
	json_write_int(w, "precedence", parents[at].precedence);
}

/* Lists the groups of settings that there are. */
static RESULT list_groups(struct cs_call *e, const void *args, struct json_writer *w)
{
	enum { PARENTS = sizeof parents / sizeof parents[0] };
	const struct list_groups *a = args;
	size_t at[PARENTS], count = 0;
	const void *items[PARENTS];
	for (size_t k = 0; k < PARENTS; k++) {
		struct str name = str_from(parents[k].name);
		at[k] = k;
		if (is_used(parents[k].name) && (!a->group.n || str_equal_nocase(a->group, name)) &&
		    str_contains(str_lower(e->c->arena, name), str_lower(e->c->arena, a->list.keyword)))
			items[count++] = &at[k];
	}
	return cs_write_items(e, w, &a->list, "configurationgroup", items, count, write_group);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listConfigurationGroups", "ec2:DescribeAccountAttributes"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_groups, params), .answer = list_groups,
	 .says = "name|subgroup|description|precedence", .doc = "Lists the groups of settings."},
};
const struct api_actions cs_configuration_group_actions = API_ACTIONS(actions);
