/* SPDX-License-Identifier: Apache-2.0
 * Key pairs, placement groups, launch templates and tags. */
#include <stdio.h>

#include "simulation.h"

/* ---- key pairs ---- */

static struct thing *find_key(const struct request *x)
{
	EACH (&x->s->model, t, KIND_KEY_PAIR)
		if (t->account == x->account && strcmp(t->name, x->name) == 0)
			return t;
	return NULL;
}

static bool draw_name(struct request *x)
{
	snprintf(x->name, sizeof x->name, "key%d", (int) random_below(4));
	request_add(x, "KeyName", "%s", x->name);
	return true;
}

static bool draw_key(struct request *x)
{
	request_add(x, "KeyType", "ed25519");
	return draw_name(x);
}

static void judge_key(const struct request *x, struct verdict *v)
{
	if (find_key(x))
		refuse(v, "InvalidKeyPair.Duplicate");
}

static void apply_key(struct request *x, struct str answer)
{
	struct thing *key =
		model_add(&x->s->model, KIND_KEY_PAIR, x->account, NULL, answer_at(answer, "keyPairId"));
	snprintf(key->name, sizeof key->name, "%s", x->name);
	request_apply_tag(x, key);
}

/* Deleting a missing key pair succeeds, too. */
static void apply_delete_key(struct request *x, struct str answer)
{
	struct thing *key = find_key(x);
	(void) answer;
	if (key)
		model_end(&x->s->model, key, GONE);
}

/* ---- placement groups ---- */

static struct thing *find_placement_group(const struct request *x)
{
	EACH (&x->s->model, t, KIND_SERVER_GROUP)
		if (t->account == x->account && strcmp(t->name, x->name) == 0)
			return t;
	return NULL;
}

static bool draw_placement_name(struct request *x)
{
	snprintf(x->name, sizeof x->name, "place%d", (int) random_below(3));
	request_add(x, "GroupName", "%s", x->name);
	return true;
}

static bool draw_placement_group(struct request *x)
{
	static const char *const strategies[] = {"cluster", "spread", "partition"};
	request_add(x, "Strategy", "%s", strategies[random_below(3)]);
	return draw_placement_name(x);
}

static void judge_placement_group(const struct request *x, struct verdict *v)
{
	if (find_placement_group(x))
		refuse(v, "InvalidPlacementGroup.Duplicate");
}

static void apply_placement_group(struct request *x, struct str answer)
{
	struct thing *group = model_add(&x->s->model, KIND_SERVER_GROUP, x->account, NULL,
					answer_at(answer, "placementGroup/groupId"));
	snprintf(group->name, sizeof group->name, "%s", x->name);
	request_apply_tag(x, group);
}

static void judge_delete_placement_group(const struct request *x, struct verdict *v)
{
	const struct thing *group = find_placement_group(x);
	if (!group)
		refuse(v, "InvalidPlacementGroup.Unknown");
	EACH (&x->s->model, t, KIND_INSTANCE)
		if (group && t->near == group)
			refuse_or_doubt(v, !model_may_have_ended(t), "InvalidPlacementGroup.InUse");
}

static void apply_delete_placement_group(struct request *x, struct str answer)
{
	(void) answer;
	model_end_server_group(&x->s->model, find_placement_group(x));
}

/* ---- dedicated hosts ---- */

/* At most one dedicated host in the region, so that the other hosts have room for everything. */
static bool draw_host(struct request *x)
{
	EACH (&x->s->model, t, KIND_DEDICATED_HOST)
		return false;
	for (size_t k = 0; k < CLIENTS; k++) {
		const struct request *other = &x->s->clients[k];
		if (other != x && other->is_open && strcmp(other->operation->action, "AllocateHosts") == 0)
			return false;
	}
	request_add(x, "AvailabilityZone", "xy-west-2a");
	request_add(x, "InstanceFamily", "t3");
	request_add(x, "Quantity", "1");
	return true;
}

static void judge_host(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "InsufficientHostCapacity");
}

static void apply_host(struct request *x, struct str answer)
{
	request_apply_tag(x, model_add(&x->s->model, KIND_DEDICATED_HOST, x->account, NULL,
				       answer_at(answer, "hostIdSet/item")));
}

static bool draw_auto_placement(struct request *x)
{
	request_add(x, "AutoPlacement", "%s", random_below(2) ? "on" : "off");
	return true;
}

/* It cannot be released while instances are on it. */
static void judge_release_host(const struct request *x, struct verdict *v)
{
	bool may_be_used = false;
	EACH (&x->s->model, t, KIND_INSTANCE)
		may_be_used = may_be_used || (t->is_hosted && t->account == x->refs[0]->account);
	if (may_be_used)
		doubt(v, "InvalidHost.Occupied");
}

/* ---- launch templates ---- */

static struct thing *find_template(const struct request *x)
{
	EACH (&x->s->model, t, KIND_LAUNCH_TEMPLATE)
		if (t->account == x->account && strcmp(t->name, x->name) == 0)
			return t;
	return NULL;
}

static bool draw_template_data(struct request *x)
{
	request_add(x, "LaunchTemplateData.InstanceType", "t3.micro");
	return true;
}

static bool draw_template(struct request *x)
{
	snprintf(x->name, sizeof x->name, "template%d", (int) random_below(3));
	request_add(x, "LaunchTemplateName", "%s", x->name);
	return draw_template_data(x);
}

static bool draw_default_version(struct request *x)
{
	request_add(x, "SetDefaultVersion", "$Latest");
	return true;
}

static bool draw_versions(struct request *x)
{
	request_add(x, "LaunchTemplateVersion.1", "%d", 1 + (int) random_below(3));
	return true;
}

static void judge_template(const struct request *x, struct verdict *v)
{
	if (find_template(x))
		refuse(v, "InvalidLaunchTemplateName.AlreadyExistsException");
}

static void apply_template(struct request *x, struct str answer)
{
	struct thing *template = model_add(&x->s->model, KIND_LAUNCH_TEMPLATE, x->account, NULL,
					   answer_at(answer, "launchTemplate/launchTemplateId"));
	snprintf(template->name, sizeof template->name, "%s", x->name);
	request_apply_tag(x, template);
}

/* ---- prefix lists ---- */

static bool draw_prefix_list(struct request *x)
{
	snprintf(x->name, sizeof x->name, "list%d", (int) random_below(3));
	request_add(x, "PrefixListName", "%s", x->name);
	request_add(x, "MaxEntries", "4");
	request_add(x, "AddressFamily", "IPv4");
	request_add(x, "Entry.1.Cidr", "10.%d.0.0/16", (int) random_below(6));
	return true;
}

static void apply_prefix_list(struct request *x, struct str answer)
{
	struct thing *list = model_add(&x->s->model, KIND_ADDRESS_GROUP, x->account, NULL,
				       answer_at(answer, "prefixList/prefixListId"));
	snprintf(list->name, sizeof list->name, "%s", x->name);
	request_apply_tag(x, list);
}

/* Its entries are not in the model, so it is unknown whether an entry exists. */
static bool draw_entry(struct request *x)
{
	request_add(x, random_below(2) ? "AddEntry.1.Cidr" : "RemoveEntry.1.Cidr", "10.%d.0.0/16",
		    (int) random_below(6));
	return true;
}

static void judge_entry(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "InvalidPrefixListModification");
	doubt(v, "PrefixListMaxEntriesExceeded");
}

static bool draw_list_name(struct request *x)
{
	snprintf(x->name, sizeof x->name, "list%d", (int) random_below(3));
	request_add(x, "PrefixListName", "%s", x->name);
	return true;
}

static void apply_list_name(struct request *x, struct str answer)
{
	(void) answer;
	snprintf(x->refs[0]->name, sizeof x->refs[0]->name, "%s", x->name);
}

static bool draw_list_versions(struct request *x)
{
	request_add(x, "PreviousVersion", "%d", 1 + (int) random_below(3));
	request_add(x, "CurrentVersion", "%d", 2 + (int) random_below(3));
	return true;
}

static void judge_list_versions(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "PrefixListVersionMismatch");
	doubt(v, "InvalidParameterValue");
}

#define PREFIX_LIST                                                                                          \
	{                                                                                                    \
		{                                                                                            \
			"PrefixListId", KIND_ADDRESS_GROUP                                                   \
		}                                                                                            \
	}

/* ---- tags ---- */

static bool draw_tagged(struct request *x)
{
	static const enum kind kinds[] = {KIND_ROUTER,         KIND_SUBNET,
					  KIND_GATEWAY,        KIND_ROUTE_TABLE,
					  KIND_SECURITY_GROUP, KIND_KEY_PAIR,
					  KIND_INSTANCE,       KIND_ADDRESS,
					  KIND_VOLUME,         KIND_PORT,
					  KIND_NAT_GATEWAY,    KIND_SNAPSHOT,
					  KIND_IMAGE,          KIND_SECURITY_GROUP_RULE};
	if (!request_ref(x, "ResourceId.1", kinds[random_below(sizeof kinds / sizeof *kinds)]))
		return false;
	snprintf(x->tag.key, sizeof x->tag.key, "k%d", (int) random_below(4));
	request_add(x, "Tag.1.Key", "%s", x->tag.key);
	return true;
}

static bool draw_tag(struct request *x)
{
	if (!draw_tagged(x))
		return false;
	snprintf(x->tag.value, sizeof x->tag.value, "v%d", (int) random_below(100));
	request_add(x, "Tag.1.Value", "%s", x->tag.value);
	return true;
}

static void apply_tag(struct request *x, struct str answer)
{
	(void) answer;
	request_apply_tag(x, x->refs[0]);
}

static void apply_untag(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	for (size_t k = 0; k < t->tag_count; k++)
		if (strcmp(t->tags[k].key, x->tag.key) == 0) {
			t->tags[k] = t->tags[--t->tag_count];
			return;
		}
}

static const struct operation rows[] = {
	{"CreateKeyPair", 1, {}, "key-pair", draw_key, judge_key, apply_key},
	{"DeleteKeyPair", 1, {}, NULL, draw_name, NULL, apply_delete_key},
	{"AllocateHosts", 1, {}, "dedicated-host", draw_host, judge_host, apply_host},
	{"ReleaseHosts",
	 1,
	 {{"HostId.1", KIND_DEDICATED_HOST}},
	 NULL,
	 NULL,
	 judge_release_host,
	 request_apply_end},
	{"ModifyHosts", 1, {{"HostId.1", KIND_DEDICATED_HOST}}, NULL, draw_auto_placement, NULL, NULL},
	{"CreatePlacementGroup",
	 1,
	 {},
	 "placement-group",
	 draw_placement_group,
	 judge_placement_group,
	 apply_placement_group},
	{"DeletePlacementGroup",
	 1,
	 {},
	 NULL,
	 draw_placement_name,
	 judge_delete_placement_group,
	 apply_delete_placement_group},
	{"CreateLaunchTemplate", 1, {}, "launch-template", draw_template, judge_template, apply_template},
	{"CreateLaunchTemplateVersion",
	 1,
	 {{"LaunchTemplateId", KIND_LAUNCH_TEMPLATE}},
	 NULL,
	 draw_template_data},
	{"ModifyLaunchTemplate", 1, {{"LaunchTemplateId", KIND_LAUNCH_TEMPLATE}}, NULL, draw_default_version},
	{"DeleteLaunchTemplateVersions",
	 1,
	 {{"LaunchTemplateId", KIND_LAUNCH_TEMPLATE}},
	 NULL,
	 draw_versions},
	{"DeleteLaunchTemplate",
	 1,
	 {{"LaunchTemplateId", KIND_LAUNCH_TEMPLATE}},
	 NULL,
	 NULL,
	 NULL,
	 request_apply_end},
	{"CreateManagedPrefixList", 1, {}, "prefix-list", draw_prefix_list, NULL, apply_prefix_list},
	{"ModifyManagedPrefixList", 1, PREFIX_LIST, NULL, draw_entry, judge_entry},
	{"ModifyManagedPrefixList", 1, PREFIX_LIST, NULL, draw_list_name, NULL, apply_list_name},
	{"RestoreManagedPrefixListVersion", 1, PREFIX_LIST, NULL, draw_list_versions, judge_list_versions},
	{"DeleteManagedPrefixList", 1, PREFIX_LIST, NULL, NULL, NULL, request_apply_end},
	{"CreateTags", 4, {}, NULL, draw_tag, NULL, apply_tag},
	{"DeleteTags", 2, {}, NULL, draw_tagged, NULL, apply_untag},
};
const struct operations other_operations = {rows, sizeof rows / sizeof *rows};
