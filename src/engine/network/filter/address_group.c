/* SPDX-License-Identifier: Apache-2.0
 * Address groups and their versions. The reconciler (reconcile/gather.c) expands a group into the rules of
 * each security group that names it. */
#include "engine/network/filter/address_group.h"

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/filter/address_group_internal.h"
#include "engine/network/object_grant_internal.h"
#include "engine/tag_internal.h"
#include "engine/tombstone.h"
#include "store/address_group.h"
#include "store/address_group_version.h"
#include "store/reference.h"
#include "store/security_group_rule.h"

static bool find_block(struct cidrs blocks, struct cidr block, size_t *ret_at)
{
	for (size_t k = 0; k < blocks.count; k++)
		if (cidr_equal(blocks.at[k], block)) {
			*ret_at = k;
			return true;
		}
	return false;
}

static bool has_block(struct cidrs blocks, struct cidr block)
{
	size_t at;
	return find_block(blocks, block, &at);
}

/* Blocks with their descriptions, collected for a row. */
struct blocks {
	struct cidr *at;
	struct str *notes;
	size_t count;
};

static RESULT open_blocks(struct op *op, size_t room, struct blocks *ret_blocks)
{
	*ret_blocks = (struct blocks){arena_new_array(op->ctx->arena, struct cidr, room + 1),
				      arena_new_array(op->ctx->arena, struct str, room + 1), 0};
	return ret_blocks->at && ret_blocks->notes ? OK : ctx_no_memory(op->ctx);
}

static struct str note_of(struct strs notes, size_t k)
{
	return k < notes.count ? notes.at[k] : STR_NONE;
}

/* Appends the blocks in canonical form, without duplicates and without those in `left_out`. */
static void add_blocks(struct blocks *to, struct cidrs blocks, struct strs notes, struct cidrs left_out)
{
	for (size_t k = 0; k < blocks.count; k++) {
		struct cidr block = cidr_canonical(blocks.at[k]);
		if (has_block((struct cidrs){to->at, to->count}, block) || has_block(left_out, block))
			continue;
		to->notes[to->count] = note_of(notes, k);
		to->at[to->count++] = block;
	}
}

/* Sets the blocks of a row that is about to be put, after checking their number and family. */
static RESULT take_blocks(struct op *op, const struct blocks *blocks, struct address_group *group)
{
	char text[CIDR_TEXT_SIZE];
	enum ip_family family = group->family == ADDRESS_GROUP_FAMILY_IPV6 ? IP_V6 : IP_V4;
	if (blocks->count > (size_t) group->max_blocks)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_ADDRESS_GROUP, STR("addresses"),
				   "You've reached the maximum number of entries: it has at most %d.",
				   (int) group->max_blocks);
	bool has_notes = false;
	for (size_t k = 0; k < blocks->count; k++) {
		if (group->family != ADDRESS_GROUP_FAMILY_ANY && blocks->at[k].base.family != family)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_ADDRESS_GROUP, STR("addresses"),
					   "The CIDR %s is not of the address family IPv%d.",
					   cidr_write(blocks->at[k], text), (int) family);
		has_notes = has_notes || blocks->notes[k].n;
	}
	group->addresses = (struct cidrs){blocks->at, blocks->count};
	group->notes = (struct strs){blocks->notes, has_notes ? blocks->count : 0};
	return OK;
}

static RESULT create_group(struct op *op, struct address_group_wish *wish, uuid account)
{
	struct blocks blocks;
	struct address_group group = {.row.gen = 1,
				      .account = account,
				      .name = wish->name,
				      .description = wish->description,
				      .family = wish->family,
				      .max_blocks =
					      wish->max_blocks ? wish->max_blocks : ADDRESS_GROUP_BLOCKS_MAX,
				      .version = 1};
	TRY(open_blocks(op, wish->addresses.count, &blocks));
	add_blocks(&blocks, wish->addresses, wish->notes, (struct cidrs){0});
	TRY(take_blocks(op, &blocks, &group));
	TRY(tag_normalize(op, wish->tags, &group.tags));
	TRY(limit_check(op, LIMIT_ADDRESS_GROUPS, account, 1, STR_NONE));
	group.row.id = engine_new_id(op, KIND_ADDRESS_GROUP);
	TRY(engine_permit_new(op, "address_group.create", KIND_ADDRESS_GROUP, &group.row));
	TRY(address_group_put(op, &group));
	wish->group = group.row.id;
	TRY(client_token_write(op, account, wish->client_token, wish->digest, wish->group));
	return engine_log_event(op, KIND_ADDRESS_GROUP, &group.row, "created", "Address group of %zu blocks.",
				group.addresses.count);
}

RESULT engine_create_address_group(struct op *op, struct address_group_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_ADDRESS_GROUP,
				   &wish->group));
	return uuid_is_none(wish->group) ? create_group(op, wish, account) : OK;
}

/* ---- versions ---- */

/* The group's id with the last four bytes replaced by the version number. */
static uuid version_id(const struct address_group *group)
{
	uuid id = group->row.id;
	for (size_t n = 0; n < 4; n++)
		id.b[sizeof id.b - 1 - n] = (uint8_t) (group->version >> (8 * n));
	return id;
}

static RESULT forget_versions(struct op *op, uuid group, int64_t before)
{
	const struct address_group_version *v = address_group_version_first_by_group(op->head, group);
	for (const struct address_group_version *next = NULL; v && v->number < before; v = next) {
		next = address_group_version_next_by_group(op->head, v);
		TRY(address_group_version_forget(op, v->row.id));
	}
	return OK;
}

/* Saves the present blocks as a version, and drops versions beyond ADDRESS_GROUP_VERSIONS_MAX. */
static RESULT keep_version(struct op *op, const struct address_group *group, struct address_group *next)
{
	const struct address_group_version version = {.row.id = version_id(group),
						      .row.gen = 1,
						      .account = group->account,
						      .group = group->row.id,
						      .number = group->version,
						      .addresses = group->addresses,
						      .notes = group->notes};
	next->version = group->version + 1;
	TRY(address_group_version_put(op, &version));
	return forget_versions(op, group->row.id, next->version - ADDRESS_GROUP_VERSIONS_MAX);
}

RESULT engine_find_addresses(struct ctx *c, const struct tables *t, const struct address_group *group,
			     int64_t version, struct str field, struct cidrs *ret_blocks,
			     struct strs *ret_notes)
{
	const struct address_group_version *found = NULL;
	*ret_blocks = group->addresses;
	*ret_notes = group->notes;
	if (version == 0 || version == group->version)
		return OK;
	found = address_group_version_find_by_group(t, group->row.id, version);
	if (!found)
		return engine_fail_with(c, field,
					ctx_fail_kind(c, ERR_NOT_FOUND, KIND_ADDRESS_GROUP_VERSION,
						      "The prefix list has no version %lld.",
						      (long long) version));
	*ret_blocks = found->addresses;
	*ret_notes = found->notes;
	return OK;
}

bool engine_is_ipv6_addresses(const struct address_group *group)
{
	bool is_ipv6 = group->addresses.count > 0;
	for (size_t k = 0; k < group->addresses.count; k++)
		is_ipv6 = is_ipv6 && group->addresses.at[k].base.family == IP_V6;
	return group->family == ADDRESS_GROUP_FAMILY_ANY ? is_ipv6
							 : group->family == ADDRESS_GROUP_FAMILY_IPV6;
}

/* ---- changes ---- */

static RESULT put_changed(struct op *op, struct address_group *next)
{
	next->row.gen++;
	TRY(address_group_put(op, next));
	return engine_log_event(op, KIND_ADDRESS_GROUP, &next->row, "changed", "It has %zu blocks.",
				next->addresses.count);
}

RESULT engine_update_address_group(struct op *op, struct address_group_settings *wish)
{
	const struct address_group *group = NULL;
	TRY(engine_find_own_address_group(op->ctx, op->head, &wish->group, &group));
	struct address_group next = *group;
	next.last_change = ADDRESS_GROUP_LAST_CHANGE_MODIFY;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	TRY(engine_permit(op, "address_group.update", KIND_ADDRESS_GROUP, &group->row));
	return put_changed(op, &next);
}

static RESULT fail_block(struct op *op, const struct address_group_change *wish, struct cidr block)
{
	char text[CIDR_TEXT_SIZE];
	cidr_write(block, text);
	if (wish->removes)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ADDRESS_GROUP, STR("addresses"),
				   "Addresses ['%s'] not found in the address group %" STR_FMT ".", text,
				   STR_ARG(wish->group.text));
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_ADDRESS_GROUP, STR("addresses"),
			   "Addresses ['%s'] already exist in the address group %" STR_FMT ".", text,
			   STR_ARG(wish->group.text));
}

RESULT engine_change_address_group(struct op *op, struct address_group_change *wish)
{
	const struct address_group *group = NULL;
	struct blocks asked, blocks;
	const struct cidrs none = {0};
	TRY(engine_find_own_address_group(op->ctx, op->head, &wish->group, &group));
	TRY(open_blocks(op, wish->addresses.count, &asked));
	add_blocks(&asked, wish->addresses, (struct strs){0}, none);
	for (size_t k = 0; k < asked.count; k++)
		if (has_block(group->addresses, asked.at[k]) != wish->removes)
			return fail_block(op, wish, asked.at[k]);
	TRY(engine_permit(op, "address_group.update", KIND_ADDRESS_GROUP, &group->row));
	const struct cidrs list = {asked.at, asked.count};
	TRY(open_blocks(op, group->addresses.count + asked.count, &blocks));
	add_blocks(&blocks, group->addresses, group->notes, wish->removes ? list : none);
	add_blocks(&blocks, wish->removes ? none : list, (struct strs){0}, none);
	struct address_group next = *group;
	next.last_change = ADDRESS_GROUP_LAST_CHANGE_MODIFY;
	TRY(take_blocks(op, &blocks, &next));
	TRY(keep_version(op, group, &next));
	return put_changed(op, &next);
}

/* ---- edits ---- */

static RESULT fail_modification(struct op *op, enum err err, const char *field, struct cidr block,
				const char *words)
{
	char text[CIDR_TEXT_SIZE];
	return ENGINE_FAIL(op, err, KIND_ADDRESS_GROUP, str_from(field), "The CIDR %s %s.",
			   cidr_write(block, text), words);
}

static RESULT edit_blocks(struct op *op, const struct address_group_edit *wish,
			  const struct address_group *group, struct blocks *ret_blocks)
{
	struct blocks removed;
	struct cidrs present = group->addresses;
	struct strs notes = group->notes;
	TRY(open_blocks(op, wish->removed.count, &removed));
	add_blocks(&removed, wish->removed, (struct strs){0}, (struct cidrs){0});
	for (size_t k = 0; k < removed.count; k++)
		if (!has_block(present, removed.at[k]))
			return fail_modification(op, ERR_NOT_FOUND, "RemoveEntry", removed.at[k],
						 "does not exist");
	for (size_t k = 0; k < wish->added.count; k++)
		if (has_block(present, cidr_canonical(wish->added.at[k])))
			return fail_modification(op, ERR_EXISTS, "AddEntry", wish->added.at[k],
						 "exists already");
	if (wish->restored)
		TRY(engine_find_addresses(op->ctx, op->head, group, wish->restored, STR("PreviousVersion"),
					  &present, &notes));
	TRY(open_blocks(op, present.count + wish->added.count, ret_blocks));
	add_blocks(ret_blocks, present, notes, (struct cidrs){removed.at, removed.count});
	add_blocks(ret_blocks, wish->added, wish->notes, (struct cidrs){0});
	return OK;
}

static RESULT resize(struct op *op, int64_t max_blocks, struct address_group *next)
{
	if (max_blocks == 0)
		return OK;
	if (max_blocks < (int64_t) next->addresses.count)
		return ENGINE_FAIL(op, ERR_RANGE, KIND_ADDRESS_GROUP, STR("MaxEntries"),
				   "The prefix list has %zu entries, more than %d.", next->addresses.count,
				   (int) max_blocks);
	next->max_blocks = max_blocks;
	return OK;
}

RESULT engine_edit_address_group(struct op *op, struct address_group_edit *wish)
{
	const struct address_group *group = NULL;
	struct blocks blocks;
	bool has_blocks = wish->added.count || wish->removed.count || wish->restored;
	TRY(engine_find_own_address_group(op->ctx, op->head, &wish->group, &group));
	if (wish->current_version && wish->current_version != group->version)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS_GROUP, STR("CurrentVersion"),
				   "The prefix list has the incorrect version number.");
	TRY(engine_permit(op, wish->restored ? "address_group.restore" : "address_group.update",
			  KIND_ADDRESS_GROUP, &group->row));
	struct address_group next = *group;
	next.last_change =
		wish->restored ? ADDRESS_GROUP_LAST_CHANGE_RESTORE : ADDRESS_GROUP_LAST_CHANGE_MODIFY;
	if (wish->name)
		next.name = *wish->name;
	TRY(resize(op, wish->max_blocks, &next));
	if (has_blocks) {
		TRY(edit_blocks(op, wish, group, &blocks));
		TRY(take_blocks(op, &blocks, &next));
		TRY(keep_version(op, group, &next));
	}
	wish->edited = group->row.id;
	return put_changed(op, &next);
}

/* ---- deletion and use ---- */

/* Forgets revoked rules that name the group. They allow nothing, so the reconciler need not see them. */
static RESULT forget_revoked(struct op *op, uuid group)
{
	const struct security_group_rule *rule =
		security_group_rule_first_by_peer_address_group(op->head, group);
	for (const struct security_group_rule *next = NULL; rule; rule = next) {
		next = security_group_rule_next_by_peer_address_group(op->head, rule);
		TRY(security_group_rule_forget(op, rule->row.id));
	}
	return OK;
}

RESULT engine_delete_address_group(struct op *op, struct address_group_target *wish)
{
	const struct address_group *group = NULL;
	TRY(engine_permit_address_group(op, &wish->group, "address_group.delete", &group));
	if (reference_find_user(op->head, KIND_ADDRESS_GROUP, group->row.id, false))
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_ADDRESS_GROUP, &wish->group,
					 "The %s '%" STR_FMT "' is in rules of security groups.",
					 engine_kind_words(op->ctx, KIND_ADDRESS_GROUP),
					 STR_ARG(wish->group.text));
	TRY(forget_revoked(op, group->row.id));
	TRY(engine_log_event(op, KIND_ADDRESS_GROUP, &group->row, "deleted", "Address group."));
	wish->deleted = group->row.id;
	return tombstone_leave(op, KIND_ADDRESS_GROUP, &group->row, ADDRESS_GROUP_INDEX_ACCOUNT);
}

RESULT address_group_resolve(struct op *op, uuid account, const struct ref *ref,
			     const struct address_group **ret_group)
{
	const struct address_group *group = NULL;
	TRY(engine_find_address_group(op->ctx, op->head, ref, &group));
	if (!uuid_equal(group->account, account) && !object_grant_covers(&group->users, account))
		return engine_fail_not_found(op->ctx, KIND_ADDRESS_GROUP, ref);
	TRY(engine_permit(op, "address_group.use", KIND_ADDRESS_GROUP, &group->row));
	*ret_group = group;
	return OK;
}
