/* SPDX-License-Identifier: Apache-2.0
 * Address groups: rows. What happens next: reconcile/gather.c makes rules of their blocks, in each security
 * group that names one. */
#include "engine/address_group.h"

#include "engine/internal.h"

static bool has_block(struct cidrs blocks, struct cidr block)
{
	for (size_t k = 0; k < blocks.count; k++)
		if (cidr_equal(blocks.at[k], block))
			return true;
	return false;
}

/* The blocks as rows have them, each once, with room for `more`. */
static RESULT canonize(struct op *op, struct cidrs blocks, size_t more, struct cidrs *ret_blocks,
		       struct cidr **ret_at)
{
	struct cidr *at = arena_new_array(op->ctx->arena, struct cidr, blocks.count + more + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < blocks.count; k++) {
		struct cidr block = cidr_canonical(blocks.at[k]);
		if (!has_block((struct cidrs){at, count}, block))
			at[count++] = block;
	}
	*ret_blocks = (struct cidrs){at, count};
	*ret_at = at;
	return OK;
}

static RESULT check_blocks(struct op *op, struct cidrs blocks)
{
	if (blocks.count <= ADDRESS_GROUP_BLOCKS_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_ADDRESS_GROUP, STR("addresses"),
			   "An address group has at most %d addresses.", ADDRESS_GROUP_BLOCKS_MAX);
}

static RESULT check_count(struct op *op, uuid account)
{
	size_t count = 0;
	for (const struct address_group *g = address_group_first_by_account(op->head, account); g;
	     g = address_group_next_by_account(op->head, g))
		count++;
	if (count < ADDRESS_GROUPS_OF_ACCOUNT_MAX)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_ADDRESS_GROUP,
			     "An account has at most %d address groups.", ADDRESS_GROUPS_OF_ACCOUNT_MAX);
}

RESULT engine_create_address_group(struct op *op, struct address_group_wish *wish)
{
	const struct account *account = NULL;
	struct cidr *ignored = NULL;
	TRY(engine_find_owner_to_be(op, &wish->account, &account));
	struct address_group group = {.row.gen = 1,
				      .account = account->row.id,
				      .name = wish->name,
				      .description = wish->description};
	TRY(canonize(op, wish->addresses, 0, &group.addresses, &ignored));
	TRY(check_blocks(op, group.addresses));
	TRY(check_count(op, account->row.id));
	TRY(engine_permit(op, "address_group.create", KIND_ADDRESS_GROUP, NULL));
	group.row.id = engine_new_id(op, KIND_ADDRESS_GROUP);
	TRY(address_group_put(op, &group));
	wish->group = group.row.id;
	return engine_tell(op, KIND_ADDRESS_GROUP, &group.row, "created", "Address group of %zu blocks.",
			   group.addresses.count);
}

static RESULT find_group(struct op *op, const struct ref *ref, const struct address_group **ret_group)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_ADDRESS_GROUP, ref, &row));
	*ret_group = (const struct address_group *) row;
	return OK;
}

static RESULT put_changed(struct op *op, struct address_group *next)
{
	next->row.gen++;
	TRY(address_group_put(op, next));
	return engine_tell(op, KIND_ADDRESS_GROUP, &next->row, "changed", "It has %zu blocks.",
			   next->addresses.count);
}

RESULT engine_update_address_group(struct op *op, struct address_group_settings *wish)
{
	const struct address_group *group = NULL;
	TRY(find_group(op, &wish->group, &group));
	struct address_group next = *group;
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
	struct cidrs asked = {0}, kept = {0};
	struct cidr *ignored = NULL, *at = NULL;
	size_t count = 0;
	TRY(find_group(op, &wish->group, &group));
	TRY(canonize(op, wish->addresses, 0, &asked, &ignored));
	for (size_t k = 0; k < asked.count; k++)
		if (has_block(group->addresses, asked.at[k]) != wish->removes)
			return fail_block(op, wish, asked.at[k]);
	TRY(engine_permit(op, "address_group.update", KIND_ADDRESS_GROUP, &group->row));
	TRY(canonize(op, group->addresses, asked.count, &kept, &at));
	for (size_t k = 0; k < kept.count; k++)
		if (!wish->removes || !has_block(asked, kept.at[k]))
			at[count++] = kept.at[k];
	for (size_t k = 0; k < asked.count && !wish->removes; k++)
		at[count++] = asked.at[k];
	struct address_group next = *group;
	next.addresses = (struct cidrs){at, count};
	TRY(check_blocks(op, next.addresses));
	return put_changed(op, &next);
}

/* Revoked rules that name it go at once: they would let nothing through. */
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
	TRY(find_group(op, &wish->group, &group));
	TRY(engine_permit(op, "address_group.delete", KIND_ADDRESS_GROUP, &group->row));
	const struct security_group_rule *rule =
		security_group_rule_first_by_peer_address_group(op->head, group->row.id);
	while (rule && !row_is_live(&rule->row))
		rule = security_group_rule_next_by_peer_address_group(op->head, rule);
	if (rule)
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_ADDRESS_GROUP, &wish->group,
					 "The address group '%" STR_FMT "' is in rules of security groups.",
					 STR_ARG(wish->group.text));
	TRY(forget_revoked(op, group->row.id));
	TRY(engine_tell(op, KIND_ADDRESS_GROUP, &group->row, "deleted", "Address group."));
	return address_group_forget(op, group->row.id);
}

RESULT address_group_resolve(struct op *op, uuid account, const struct ref *ref, uuid *ret_group)
{
	const struct address_group *group = NULL;
	TRY(find_group(op, ref, &group));
	if (!uuid_equal(group->account, account))
		return engine_fail_not_found(op->ctx, KIND_ADDRESS_GROUP, ref);
	TRY(engine_permit(op, "address_group.use", KIND_ADDRESS_GROUP, &group->row));
	*ret_group = group->row.id;
	return OK;
}
