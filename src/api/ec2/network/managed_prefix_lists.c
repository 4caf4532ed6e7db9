/* SPDX-License-Identifier: Apache-2.0
 * Managed prefix lists, stored as address groups: Create…, Describe…, Modify…, DeleteManagedPrefixList,
 * RestoreManagedPrefixListVersion, GetManagedPrefixListEntries, GetManagedPrefixListAssociations. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/filter/address_group.h"
#include "model/address_group.h"
#include "model/security_group.h"
#include "store/security_group_rule.h"

/* ---- describe ---- */

struct ec2_describe_prefix_lists {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_prefix_lists, "PrefixListId", KIND_ADDRESS_GROUP,
		  "Prefix lists by id."),
	QUERY_FILTERS(struct ec2_describe_prefix_lists),
	QUERY_PAGES(struct ec2_describe_prefix_lists, 1, 100),
};

static const struct filter prefix_list_filters[] = {
	{"prefix-list-id", .is_id = true},
	{"prefix-list-name", .field = "name"},
	{"owner-id", .get = filter_owner},
};

static void write_list(struct ec2_call *e, struct xml *x, const void *item)
{
	static const char *const states[] = {
		[ADDRESS_GROUP_LAST_CHANGE_CREATE] = "create-complete",
		[ADDRESS_GROUP_LAST_CHANGE_MODIFY] = "modify-complete",
		[ADDRESS_GROUP_LAST_CHANGE_RESTORE] = "restore-complete",
	};
	const struct address_group *list = item;
	const char *state = row_is_live(&list->row) ? states[list->last_change] : "delete-complete";
	ec2_write_id(x, "prefixListId", KIND_ADDRESS_GROUP, list->row.id);
	xml_z(x, "addressFamily", engine_is_ipv6_addresses(list) ? "IPv6" : "IPv4");
	xml_z(x, "state", ec2_state_in_answer(e, state));
	ec2_write_arn(e, x, "prefixListArn", "prefix-list", KIND_ADDRESS_GROUP, list->row.id);
	xml_text(x, "prefixListName", list->name);
	xml_int(x, "maxEntries", list->max_blocks);
	xml_int(x, "version", list->version);
	ec2_write_tags(x, list->tags);
	xml_text(x, "ownerId", e->owner);
}

static const struct ec2_listing prefix_listing = {.kind = KIND_ADDRESS_GROUP,
						  .set = "prefixListSet",
						  .filters = FILTERS(prefix_list_filters),
						  .write = write_list,
						  .shows_ended = true};

/* ---- entries of a request ---- */

struct ec2_entry {
	struct str cidr, description, field;
};
#define P(wire, member, ...) PARAM(struct ec2_entry, wire, member, __VA_ARGS__)
#define CIDR                                                                                                 \
	P("Cidr", cidr, .flags = REQUIRED, .max = CIDR_TEXT_SIZE,                                            \
	  .field = offsetof(struct ec2_entry, field) + 1, .doc = "CIDR block of the list's address family.")
static const struct param entry_rows[] = {
	CIDR,
	P("Description", description, .max = ADDRESS_GROUP_WORDS_MAX, .doc = "Description of the entry."),
};
static const struct param removed_rows[] = {CIDR};
#undef CIDR
#undef P
static const struct params entry_params = PARAMS(struct ec2_entry, entry_rows);
static const struct params removed_params = PARAMS(struct ec2_entry, removed_rows);

struct ec2_entries {
	const struct ec2_entry *at;
	size_t count;
};

static RESULT fail_entry(struct ec2_call *e, const struct ec2_entry *entry, const char *words)
{
	return ctx_fail_field(e->c, ERR_INVALID, entry->field,
			      "Value (%" STR_FMT ") for parameter %" STR_FMT " is invalid. %s",
			      STR_ARG(entry->cidr), STR_ARG(params_small_name(e->c->arena, entry->field)),
			      words);
}

/* Reads entries; but: blocks that they must not repeat. */
static RESULT read_entries(struct ec2_call *e, const struct ec2_entries *entries, struct cidrs but,
			   struct cidrs *ret_blocks, struct strs *ret_notes)
{
	struct cidr *blocks = arena_new_array(e->c->arena, struct cidr, entries->count + 1);
	struct str *notes = arena_new_array(e->c->arena, struct str, entries->count + 1);
	if (!blocks || !notes)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < entries->count; k++) {
		const struct ec2_entry *entry = &entries->at[k];
		if (!result_is_ok(cidr_parse(entry->cidr, &blocks[k])))
			return fail_entry(e, entry, "This is not a valid CIDR block.");
		blocks[k] = cidr_canonical(blocks[k]);
		notes[k] = entry->description;
		for (size_t n = 0; n < k; n++)
			if (cidr_equal(blocks[n], blocks[k]))
				return fail_entry(e, entry, "It is given twice.");
		for (size_t n = 0; n < but.count; n++)
			if (cidr_equal(but.at[n], blocks[k]))
				return fail_entry(e, entry, "It is added, too.");
	}
	*ret_blocks = (struct cidrs){blocks, entries->count};
	*ret_notes = (struct strs){notes, entries->count};
	return OK;
}

static RESULT check_name(struct ec2_call *e, struct str name)
{
	if (!str_starts_with(name, STR("com.amazonaws")))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("PrefixListName"),
			      "Value (%" STR_FMT ") for parameter prefixListName is invalid. It can't begin "
			      "with com.amazonaws.",
			      STR_ARG(name));
}

/* ---- create ---- */

struct ec2_create_prefix_list {
	struct address_group_wish wish;
	struct ec2_entries entries;
	struct str family;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_prefix_list, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("PrefixListName", wish.name, .flags = REQUIRED, .min = 1, .max = ADDRESS_GROUP_WORDS_MAX,
	  .doc = "Name of the prefix list; need not be unique."),
	P("MaxEntries", wish.max_blocks, .flags = REQUIRED, .min = 1, .max = ADDRESS_GROUP_BLOCKS_MAX,
	  .doc = "Maximum number of entries."),
	P("AddressFamily", family, .flags = REQUIRED, .words = "IPv4|IPv6",
	  .doc = "Address family of all entries."),
	PARAM_LIST(struct ec2_create_prefix_list, "Entry", entries, entry_params,
		   .max = ADDRESS_GROUP_BLOCKS_MAX, .doc = "Entries: CIDR blocks with descriptions."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_prefix_list, tag_specs),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_prefix_list *a = args;
	a->wish.family = str_is(a->family, "IPv6") ? ADDRESS_GROUP_FAMILY_IPV6 : ADDRESS_GROUP_FAMILY_IPV4;
	TRY(check_name(e, a->wish.name));
	return read_entries(e, &a->entries, (struct cidrs){0}, &a->wish.addresses, &a->wish.notes);
}

/* ---- modify, restore, delete ---- */

#define LIST(T, member)                                                                                      \
	PARAM(T, "PrefixListId", member, .flags = REQUIRED, .kind = KIND_ADDRESS_GROUP,                      \
	      .doc = "The prefix list.")

struct ec2_modify_prefix_list {
	struct address_group_edit wish;
	struct str name;
	struct ec2_entries added, removed;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_prefix_list, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	LIST(struct ec2_modify_prefix_list, wish.group),
	P("CurrentVersion", wish.current_version, .min = 1, .max = INT64_MAX,
	  .doc = "Current version of the list. Fails if another change came first."),
	P("PrefixListName", name, .min = 1, .max = ADDRESS_GROUP_WORDS_MAX, .doc = "New name."),
	P("MaxEntries", wish.max_blocks, .min = 1, .max = ADDRESS_GROUP_BLOCKS_MAX,
	  .doc = "New maximum number of entries. Must be the only change of the request."),
	PARAM_LIST(struct ec2_modify_prefix_list, "AddEntry", added, entry_params,
		   .max = ADDRESS_GROUP_BLOCKS_MAX, .doc = "Entries to add."),
	PARAM_LIST(struct ec2_modify_prefix_list, "RemoveEntry", removed, removed_params,
		   .max = ADDRESS_GROUP_BLOCKS_MAX, .doc = "Entries to remove."),
	NOT_BUILT("IpamPrefixListResolverSyncEnabled", .only = "false"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_prefix_list *a = args;
	struct strs none;
	bool has_entries = a->added.count || a->removed.count;
	a->wish.name = a->name.p ? &a->name : NULL;
	TRY(check_name(e, a->name));
	TRY(read_entries(e, &a->added, (struct cidrs){0}, &a->wish.added, &a->wish.notes));
	TRY(read_entries(e, &a->removed, a->wish.added, &a->wish.removed, &none));
	if (has_entries && a->wish.max_blocks)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("MaxEntries"),
				      "The parameter maxEntries cannot be used with addEntry or removeEntry");
	if (has_entries || a->wish.max_blocks || a->wish.name)
		return OK;
	return ctx_fail_field(e->c, ERR_MISSING, STR("AddEntry"),
			      "The request must contain one of PrefixListName, MaxEntries, AddEntry and "
			      "RemoveEntry");
}

#define P(wire, member, ...) PARAM(struct address_group_edit, wire, member, __VA_ARGS__)
static const struct param restore_params[] = {
	LIST(struct address_group_edit, group),
	P("PreviousVersion", restored, .flags = REQUIRED, .min = 1, .max = INT64_MAX,
	  .doc = "Version whose entries are restored."),
	P("CurrentVersion", current_version, .flags = REQUIRED, .min = 1, .max = INT64_MAX,
	  .doc = "Current version of the list. Fails if another change came first."),
};
#undef P

static const struct param delete_params[] = {LIST(struct address_group_target, group)};

/* ---- what is in one ---- */

struct ec2_get_entries {
	struct ref list;
	int64_t version, max_results;
	struct str next_token;
};
#define P(wire, member, ...) PARAM(struct ec2_get_entries, wire, member, __VA_ARGS__)
static const struct param get_entries_params[] = {
	LIST(struct ec2_get_entries, list),
	P("TargetVersion", version, .min = 1, .max = INT64_MAX,
	  .doc = "Version to show; absent: the current one."),
	P("MaxResults", max_results, .min = 1, .max = 100, .doc = "Maximum number of results in one page."),
	P("NextToken", next_token, .max = 256, .doc = "Token of the next page, from the previous answer."),
};
#undef P

/* Makes a token of the version that the pages are of and of a position in it: later changes of the list move no
 * entry between pages. The position fits into the last byte of an id: there are at most a hundred entries. */
static struct row_place position(int64_t version, size_t at)
{
	struct row_place place = {.created_us = version};
	place.id.b[sizeof place.id.b - 1] = (uint8_t) at;
	return place;
}

static RESULT ec2_get_managed_prefix_list_entries(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_get_entries *a = args;
	const struct address_group *list = NULL;
	struct cidrs blocks;
	struct strs notes;
	struct row_place after = {0};
	TRY(ec2_parse_token(e, a->next_token, &after));
	TRY(engine_find_address_group(e->c, ec2_tables(e), &a->list, &list));
	int64_t version = a->version ? a->version : after.created_us ? after.created_us : list->version;
	bool is_of_token = after.created_us && version == after.created_us;
	struct result found = engine_find_addresses(e->c, ec2_tables(e), list, version, STR("TargetVersion"),
						    &blocks, &notes);
	if (found.code == ERR_NOT_FOUND && is_of_token && !a->version) { /* forgotten since the page before */
		ctx_clear_problem(e->c);
		return ec2_fail_token(e, a->next_token);
	}
	TRY(found);
	ec2_release_tables(e);
	size_t at = after.id.b[sizeof after.id.b - 1],
	       end = a->max_results ? at + (size_t) a->max_results : blocks.count;
	xml_open(x, "entrySet");
	for (; at < blocks.count && at < end; at++) {
		xml_open(x, "item");
		ec2_write_cidr(x, "cidr", blocks.at[at]);
		if (at < notes.count)
			xml_text_opt(x, "description", notes.at[at]);
		xml_close(x, "item");
	}
	xml_close(x, "entrySet");
	if (at < blocks.count)
		xml_text(x, "nextToken", ec2_make_token(e, position(version, at)));
	return OK;
}

/* ---- what names one ---- */

struct ec2_get_associations {
	struct ec2_query query;
	struct ref list;
	uuid found;
};
static const struct param get_associations_params[] = {
	LIST(struct ec2_get_associations, list),
	QUERY_PAGES(struct ec2_get_associations, 5, 255),
};

static RESULT prepare_get_associations(struct ec2_call *e, void *args)
{
	struct ec2_get_associations *a = args;
	const struct address_group *list = NULL;
	TRY(engine_find_address_group(e->c, ec2_tables(e), &a->list, &list));
	a->found = list->row.id;
	return OK;
}

/* True if a rule of the resource names the list. */
static bool is_associated(struct ec2_call *e, const struct row *row)
{
	const struct ec2_get_associations *a = e->args;
	const struct tables *t = ec2_tables(e);
	const struct security_group_rule *rule = security_group_rule_first_by_peer_address_group(t, a->found);
	while (rule && !(row_is_live(&rule->row) && uuid_equal(rule->group, row->id)))
		rule = security_group_rule_next_by_peer_address_group(t, rule);
	return rule != NULL;
}

static void write_association(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct security_group *group = item;
	ec2_write_id(x, "resourceId", KIND_SECURITY_GROUP, group->row.id);
	xml_text(x, "resourceOwner", e->owner);
}

static const struct ec2_listing association_listing = {.kind = KIND_SECURITY_GROUP,
						       .set = "prefixListAssociationSet",
						       .shows = is_associated,
						       .is_hiding = true,
						       .write = write_association};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeManagedPrefixLists"),
	 .args = PARAMS(struct ec2_describe_prefix_lists, describe_params), .list = &prefix_listing,
	 .doc = "Lists the account's prefix lists, including Neutron's address groups."},
	{EC2_ACTION("CreateManagedPrefixList"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_prefix_list, create_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_prefix_list, "prefix-list"), EC2_DIGEST(struct ec2_create_prefix_list),
	 .operation = engine_create_address_group_run,
	 EC2_SHOWS(prefix_listing, struct ec2_create_prefix_list, wish.group, "prefixList"),
	 .returns = KIND_ADDRESS_GROUP, .state_in_answer = "create-in-progress",
	 .doc = "Creates a prefix list for use in security group rules."},
	{EC2_ACTION("ModifyManagedPrefixList"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_prefix_list, modify_params), .prepare = prepare_modify,
	 .operation = engine_edit_address_group_run,
	 EC2_SHOWS(prefix_listing, struct ec2_modify_prefix_list, wish.edited, "prefixList"),
	 .returns = KIND_ADDRESS_GROUP, .state_in_answer = "modify-in-progress",
	 .doc = "Changes the entries, the maximum size or the name of a prefix list. Rules that reference it "
		"follow."},
	{EC2_ACTION("RestoreManagedPrefixListVersion"), .flags = API_WRITES,
	 .args = PARAMS(struct address_group_edit, restore_params),
	 .operation = engine_edit_address_group_run,
	 EC2_SHOWS(prefix_listing, struct address_group_edit, edited, "prefixList"),
	 .returns = KIND_ADDRESS_GROUP, .state_in_answer = "restore-in-progress",
	 .doc = "Restores the entries of an earlier version as a new version."},
	{EC2_ACTION("DeleteManagedPrefixList"), .flags = API_WRITES,
	 .args = PARAMS(struct address_group_target, delete_params),
	 .operation = engine_delete_address_group_run,
	 EC2_SHOWS(prefix_listing, struct address_group_target, deleted, "prefixList"),
	 .returns = KIND_ADDRESS_GROUP, .state_in_answer = "delete-in-progress",
	 .doc = "Deletes a prefix list that no rule references."},
	{EC2_ACTION("GetManagedPrefixListEntries"),
	 .args = PARAMS(struct ec2_get_entries, get_entries_params),
	 .answer = ec2_get_managed_prefix_list_entries,
	 .doc = "Lists the entries of a prefix list, now or at a version."},
	{EC2_ACTION("GetManagedPrefixListAssociations"),
	 .args = PARAMS(struct ec2_get_associations, get_associations_params),
	 .prepare = prepare_get_associations, .list = &association_listing,
	 .doc = "Lists the security groups whose rules reference a prefix list."},
};
const struct api_actions ec2_prefix_list_actions = API_ACTIONS(actions);
