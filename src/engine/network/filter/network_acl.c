/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs and their entries. An ACL is part of its router, like route tables. A change of an entry
 * raises the ACL's gen, so that watchers of the ACL see it. */
#include "engine/network/filter/network_acl.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/crypto_digest.h"
#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/filter/network_acl_internal.h"
#include "engine/tag_internal.h"
#include "model/router.h"
#include "store/network_acl.h"
#include "store/network_acl_entry.h"
#include "store/reference.h"
#include "store/subnet.h"

enum { ENTRY_FOR_ALL = 100, ENTRY_FOR_ALL_IPV6 = 101 };

static RESULT write_all_at(struct op *op, uuid account, uuid acl, bool egress, bool is_ipv6, int64_t number)
{
	struct cidr all = {is_ipv6 ? (struct ip){.family = IP_V6} : ip_from_v4(0), 0};
	struct network_acl_entry entry = {.row.id = engine_new_id(op, KIND_NETWORK_ACL_ENTRY),
					  .row.gen = 1,
					  .account = account,
					  .acl = acl,
					  .egress = egress,
					  .number = number,
					  .allows = true,
					  .protocol = -1,
					  .from_port = -1,
					  .to_port = -1,
					  .blocks = {&all, 1}};
	return network_acl_entry_put(op, &entry);
}

static RESULT write_entry_for_all(struct op *op, uuid account, uuid acl, bool egress, bool is_ipv6)
{
	return write_all_at(op, account, acl, egress, is_ipv6, is_ipv6 ? ENTRY_FOR_ALL_IPV6 : ENTRY_FOR_ALL);
}

static bool allows_all(const struct network_acl_entry *entry)
{
	bool is_all = false;
	for (size_t k = 0; k < entry->blocks.count; k++)
		is_all = is_all || entry->blocks.at[k].bits == 0;
	return entry->allows && entry->protocol < 0 && is_all;
}

RESULT network_acl_let_ipv6_through(struct op *op, uuid acl)
{
	const struct network_acl *row = network_acl_find(op->head, acl);
	if (!row)
		return OK;
	struct network_acl next = *row;
	next.row.gen++;
	for (int egress = 0; egress < 2; egress++) {
		const struct network_acl_entry *e =
			network_acl_entry_find_by_acl(op->head, acl, egress, ENTRY_FOR_ALL);
		bool is_as_made = e && allows_all(e);
		if (is_as_made && !network_acl_entry_find_by_acl(op->head, acl, egress, ENTRY_FOR_ALL_IPV6))
			TRY(write_entry_for_all(op, next.account, acl, egress, true));
	}
	return network_acl_put(op, &next);
}

RESULT network_acl_write(struct op *op, const struct network_acl_plan *plan, uuid *ret_acl)
{
	struct network_acl acl = {.row.id = engine_new_id(op, KIND_NETWORK_ACL),
				  .row.gen = 1,
				  .account = plan->account,
				  .router = plan->router,
				  .is_default = plan->is_default,
				  .tags = plan->tags};
	TRY(network_acl_put(op, &acl));
	for (int egress = 0; plan->is_default && egress < 2; egress++)
		TRY(write_entry_for_all(op, plan->account, acl.row.id, egress, false));
	*ret_acl = acl.row.id;
	return engine_log_event(op, KIND_NETWORK_ACL, &acl.row, "created", "Network ACL.");
}

/* ---- ACLs ---- */

static RESULT create_acl(struct op *op, struct network_acl_wish *wish, uuid account)
{
	const struct router *router = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	struct network_acl acl = {.row.id = engine_new_id(op, KIND_NETWORK_ACL),
				  .row.gen = 1,
				  .account = router->account,
				  .router = router->row.id,
				  .name = wish->name,
				  .description = wish->description,
				  .is_stateful = wish->is_stateful};
	TRY(limit_check(op, LIMIT_NETWORK_ACLS, router->row.id, 1, wish->router.field));
	TRY(tag_normalize(op, wish->tags, &acl.tags));
	TRY(engine_permit(op, "network_acl.create", KIND_ROUTER, &router->row));
	TRY(engine_permit_new(op, "network_acl.create", KIND_NETWORK_ACL, &acl.row));
	TRY(network_acl_put(op, &acl));
	if (wish->lets_all_out)
		TRY(write_all_at(op, acl.account, acl.row.id, true, false, NETWORK_ACL_NUMBER_MAX));
	wish->acl = acl.row.id;
	TRY(engine_log_event(op, KIND_NETWORK_ACL, &acl.row, "created", "Network ACL."));
	return client_token_write(op, account, wish->client_token, wish->digest, wish->acl);
}

RESULT engine_create_network_acl(struct op *op, struct network_acl_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_NETWORK_ACL,
				   &wish->acl));
	return uuid_is_none(wish->acl) ? create_acl(op, wish, account) : OK;
}

RESULT engine_update_network_acl(struct op *op, struct network_acl_settings *wish)
{
	const struct network_acl *acl = NULL;
	TRY(engine_permit_network_acl(op, &wish->acl, "network_acl.update", &acl));
	struct network_acl next = *acl;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	TRY(network_acl_put(op, &next));
	return engine_log_event(op, KIND_NETWORK_ACL, &next.row, "changed", "Name or description.");
}

RESULT engine_delete_network_acl(struct op *op, struct network_acl_target *wish)
{
	const struct network_acl *acl = NULL;
	TRY(engine_permit_network_acl(op, &wish->acl, "network_acl.delete", &acl));
	if (acl->is_default)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK_ACL, wish->acl.field,
				   "cannot delete default network ACL %" STR_FMT, STR_ARG(wish->acl.text));
	const struct row *user = reference_find_user(op->head, KIND_NETWORK_ACL, acl->row.id, false);
	if (user)
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_NETWORK_ACL, &wish->acl,
					 "The networkAcl '%" STR_FMT
					 "' has dependencies and cannot be deleted. %" STR_FMT " has it.",
					 STR_ARG(wish->acl.text),
					 STR_ARG(engine_write_id(op, user->kind, user->id)));
	TRY(engine_log_event(op, KIND_NETWORK_ACL, &acl->row, "deleted", "Network ACL."));
	return network_acl_forget(op, acl->row.id);
}

/* ---- entries ---- */

struct entry_plan {
	const struct network_acl *acl;
	const struct network_acl_entry *present; /* entry at that number, or NULL */
};

static RESULT find_entry(struct op *op, const struct network_acl_entry_wish *wish,
			 struct entry_plan *ret_plan)
{
	TRY(engine_find_own_network_acl(op->ctx, op->head, &wish->acl, &ret_plan->acl));
	ret_plan->present =
		network_acl_entry_find_by_acl(op->head, ret_plan->acl->row.id, wish->egress, wish->number);
	return OK;
}

static RESULT fail_no_entry(struct op *op, const struct network_acl_entry_wish *wish)
{
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NETWORK_ACL_ENTRY, STR("RuleNumber"),
			   "The network ACL %" STR_FMT " has no %s entry %" PRId64 ".",
			   STR_ARG(wish->acl.text), wish->egress ? "egress" : "ingress", wish->number);
}

/* `present` is the entry to be replaced, or NULL. */
static RESULT check_entry_room(struct op *op, const struct network_acl_entry_wish *wish, uuid acl,
			       const struct network_acl_entry *present)
{
	size_t count = wish->blocks.count + 1; /* plus the final deny */
	size_t most = network_acl_find(op->head, acl)->is_stateful ? NETWORK_ACL_STATEFUL_ENTRIES_MAX
								   : NETWORK_ACL_ENTRIES_MAX;
	for (const struct network_acl_entry *n = network_acl_entry_first_by_acl(op->head, acl); n;
	     n = network_acl_entry_next_by_acl(op->head, n))
		count += n->egress == wish->egress && n != present ? n->blocks.count : 0;
	if (count <= most)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_NETWORK_ACL_ENTRY, wish->acl.field,
			   "A network ACL has up to %zu entries each way, with the one that denies the rest.",
			   most);
}

static RESULT touch_acl(struct op *op, const struct network_acl *acl,
			const struct network_acl_entry_wish *wish, const char *what)
{
	struct network_acl next = *acl;
	next.row.gen++;
	TRY(network_acl_put(op, &next));
	return engine_log_event(op, KIND_NETWORK_ACL, &next.row, "changed",
				wish->egress ? "Egress entry %" PRId64 " is %s."
					     : "Ingress entry %" PRId64 " is %s.",
				wish->number, what);
}

static RESULT check_blocks(struct op *op, const struct network_acl_entry_wish *wish)
{
	const struct cidrs *blocks = &wish->blocks;
	for (size_t k = 0; k < blocks->count; k++)
		if (blocks->at[k].base.family != blocks->at[0].base.family)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK_ACL_ENTRY, wish->acl.field,
					   "The blocks of an entry are of one family.");
	if (blocks->count > NETWORK_ACL_ENTRY_BLOCKS_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_NETWORK_ACL_ENTRY, wish->acl.field,
				   "An entry has at most %d blocks.", NETWORK_ACL_ENTRY_BLOCKS_MAX);
	return blocks->count ? OK
			     : ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK_ACL_ENTRY, wish->acl.field,
					   "An entry has a block.");
}

static RESULT write_entry(struct op *op, const struct entry_plan *plan, struct network_acl_entry_wish *wish)
{
	const struct network_acl_entry *present = plan->present;
	struct cidr blocks[NETWORK_ACL_ENTRY_BLOCKS_MAX];
	TRY(check_blocks(op, wish));
	for (size_t k = 0; k < wish->blocks.count; k++)
		blocks[k] = cidr_canonical(wish->blocks.at[k]);
	struct network_acl_entry entry = {.row.id = present ? present->row.id
							    : engine_new_id(op, KIND_NETWORK_ACL_ENTRY),
					  .row.gen = present ? present->row.gen + 1 : 1,
					  .account = plan->acl->account,
					  .acl = plan->acl->row.id,
					  .egress = wish->egress,
					  .number = wish->number,
					  .allows = wish->allows,
					  .protocol = wish->protocol,
					  .from_port = wish->from_port,
					  .to_port = wish->to_port,
					  .blocks = {blocks, wish->blocks.count},
					  .description = wish->description};
	wish->entry = entry.row.id;
	TRY(network_acl_entry_put(op, &entry));
	return touch_acl(op, plan->acl, wish, wish->allows ? "one that allows" : "one that denies");
}

static const struct network_acl_entry *first_egress(const struct tables *t, uuid acl)
{
	const struct network_acl_entry *e = network_acl_entry_first_by_acl(t, acl);
	while (e && !e->egress)
		e = network_acl_entry_next_by_acl(t, e);
	return e; /* egress entries are last in the index, so the rest are egress, too */
}

/* Removes an entry that allows all egress if it is the only egress entry. */
static RESULT close_egress(struct op *op, uuid acl)
{
	const struct network_acl_entry *only = first_egress(op->head, acl);
	return only && allows_all(only) && !network_acl_entry_next_by_acl(op->head, only)
		       ? network_acl_entry_forget(op, only->row.id)
		       : OK;
}

bool engine_is_entry_implied(const struct network_acl *acl, const struct network_acl_entry *entry)
{
	return acl->is_stateful && entry->egress && entry->number == NETWORK_ACL_NUMBER_MAX &&
	       allows_all(entry);
}

static RESULT open_egress(struct op *op, const struct network_acl *acl)
{
	return first_egress(op->head, acl->row.id)
		       ? OK
		       : write_all_at(op, acl->account, acl->row.id, true, false, NETWORK_ACL_NUMBER_MAX);
}

RESULT engine_create_network_acl_entry(struct op *op, struct network_acl_entry_wish *wish)
{
	struct entry_plan plan = {0};
	TRY(find_entry(op, wish, &plan));
	TRY(engine_permit(op, "network_acl.create_entry", KIND_NETWORK_ACL, &plan.acl->row));
	if (plan.present)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_NETWORK_ACL_ENTRY, STR("RuleNumber"),
				   "The network acl entry identified by %" PRId64 " already exists.",
				   wish->number);
	if (wish->none_is_all && wish->egress)
		TRY(close_egress(op, plan.acl->row.id));
	TRY(check_entry_room(op, wish, plan.acl->row.id, NULL));
	return write_entry(op, &plan, wish);
}

RESULT engine_replace_network_acl_entry(struct op *op, struct network_acl_entry_wish *wish)
{
	struct entry_plan plan = {0};
	TRY(find_entry(op, wish, &plan));
	TRY(engine_permit(op, "network_acl.replace_entry", KIND_NETWORK_ACL, &plan.acl->row));
	if (!plan.present)
		return fail_no_entry(op, wish);
	TRY(check_entry_room(op, wish, plan.acl->row.id, plan.present));
	return write_entry(op, &plan, wish);
}

RESULT engine_delete_network_acl_entry(struct op *op, struct network_acl_entry_wish *wish)
{
	struct entry_plan plan = {0};
	TRY(find_entry(op, wish, &plan));
	TRY(engine_permit(op, "network_acl.delete_entry", KIND_NETWORK_ACL, &plan.acl->row));
	if (!plan.present)
		return fail_no_entry(op, wish);
	TRY(network_acl_entry_forget(op, plan.present->row.id));
	if (wish->none_is_all && wish->egress)
		TRY(open_egress(op, plan.acl));
	return touch_acl(op, plan.acl, wish, "no more");
}

RESULT engine_change_network_acl_entry(struct op *op, struct network_acl_entry_change *change)
{
	const struct row *row = NULL;
	struct entry_plan plan = {0};
	struct network_acl_entry_wish *wish = &change->wish;
	TRY(engine_find_own(op->ctx, op->head, KIND_NETWORK_ACL_ENTRY, &change->entry, &row));
	const struct network_acl_entry *entry = network_acl_entry_of(row);
	wish->acl = ref_by_id(KIND_NETWORK_ACL, entry->acl);
	TRY(find_entry(op, wish, &plan));
	TRY(engine_permit(op, "network_acl.replace_entry", KIND_NETWORK_ACL, &plan.acl->row));
	if (!wish->blocks.count)
		wish->blocks = entry->blocks;
	if (plan.present && plan.present != entry)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_NETWORK_ACL_ENTRY, STR("RuleNumber"),
				   "The network acl entry identified by %" PRId64 " already exists.",
				   wish->number);
	if (wish->none_is_all && wish->egress && !entry->egress)
		TRY(close_egress(op, entry->acl));
	TRY(check_entry_room(op, wish, entry->acl, entry));
	plan.present = entry;
	TRY(write_entry(op, &plan, wish));
	return wish->none_is_all ? open_egress(op, plan.acl) : OK;
}

/* ---- the order of entries ---- */

struct login_links {
	/* sorted by number, ingress before egress; without implied entries */
	struct network_acl_entry *at;
	size_t count;
};

static int compare_entries(const void *left, const void *right)
{
	const struct network_acl_entry *a = left, *b = right;
	return a->number != b->number ? (a->number > b->number) - (a->number < b->number)
				      : (int) a->egress - (int) b->egress;
}

static RESULT gather_entries(struct op *op, const struct network_acl *acl, struct login_links *ret_entries)
{
	const size_t most = 2 * NETWORK_ACL_STATEFUL_ENTRIES_MAX;
	struct login_links all = {arena_new_array(op->ctx->arena, struct network_acl_entry, most), 0};
	if (!all.at)
		return ctx_no_memory(op->ctx);
	for (const struct network_acl_entry *n = network_acl_entry_first_by_acl(op->head, acl->row.id);
	     n && all.count < most; n = network_acl_entry_next_by_acl(op->head, n))
		if (!engine_is_entry_implied(acl, n))
			all.at[all.count++] = *n;
	qsort(all.at, all.count, sizeof *all.at, compare_entries);
	*ret_entries = all;
	return OK;
}

static RESULT check_digest(struct op *op, const struct login_links *all, struct str digest)
{
	struct arena *a = op->ctx->arena;
	uint8_t sum[MD5_SIZE];
	struct str ids = STR("");
	if (!digest.n)
		return OK;
	for (size_t n = 0; n < all->count; n++)
		ids = str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(ids),
				STR_ARG(uuid_to_str(a, all->at[n].row.id)));
	crypto_md5(ids, sum);
	return str_equal(str_encode_hex(a, sum, sizeof sum), digest)
		       ? OK
		       : ENGINE_FAIL(
				 op, ERR_STATE, KIND_NETWORK_ACL_ENTRY, STR("aclconsistencyhash"),
				 "It seems that the access control list in the database is not in the state "
				 "that you used to apply the changed. Could you try it again?");
}

static RESULT find_neighbour(struct op *op, const struct ref *ref, uuid acl,
			     const struct network_acl_entry **ret_entry)
{
	const struct row *row = NULL;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_own(op->ctx, op->head, KIND_NETWORK_ACL_ENTRY, ref, &row));
	*ret_entry = network_acl_entry_of(row);
	return uuid_equal((*ret_entry)->acl, acl)
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK_ACL_ENTRY, ref->field,
				     "Cannot use ACL rules from differenting ACLs. Rule being moved.");
}

static bool has_number(const struct login_links *all, int64_t number)
{
	for (size_t n = 0; n < all->count; n++)
		if (all->at[n].number == number)
			return true;
	return false;
}

static RESULT number_entry(struct op *op, const struct network_acl_entry *entry, int64_t number)
{
	struct network_acl_entry next = *entry;
	next.number = number;
	next.row.gen++;
	return network_acl_entry_put(op, &next);
}

/* Moves the consecutive numbers from `number` on up by one. Starts at the end, because numbers are unique at
 * every step. */
static RESULT make_room(struct op *op, const struct login_links *all, uuid but, int64_t number)
{
	int64_t end = number;
	for (size_t n = 0; n < all->count; n++)
		end += all->at[n].number == end && !uuid_equal(all->at[n].row.id, but);
	if (end > NETWORK_ACL_ITEM_MAX)
		return ENGINE_FAIL(op, ERR_RANGE, KIND_NETWORK_ACL_ENTRY, STR("id"),
				   "The network ACL has no number left up to %d.", NETWORK_ACL_ITEM_MAX);
	for (size_t n = all->count; n-- > 0;) {
		const struct network_acl_entry *entry = &all->at[n];
		if (entry->number >= number && entry->number < end && !uuid_equal(entry->row.id, but))
			TRY(number_entry(op, entry, entry->number + 1));
	}
	return OK;
}

RESULT engine_move_network_acl_entry(struct op *op, struct network_acl_entry_move *wish)
{
	const struct row *row = NULL;
	const struct network_acl_entry *previous = NULL, *next = NULL;
	struct login_links all = {0};
	TRY(engine_find_own(op->ctx, op->head, KIND_NETWORK_ACL_ENTRY, &wish->entry, &row));
	const struct network_acl_entry moved = *network_acl_entry_of(row);
	const struct network_acl *acl = network_acl_find(op->head, moved.acl);
	TRY(engine_permit(op, "network_acl.replace_entry", KIND_NETWORK_ACL, &acl->row));
	TRY(find_neighbour(op, &wish->previous, moved.acl, &previous));
	TRY(find_neighbour(op, &wish->next, moved.acl, &next));
	if (!previous && !next)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NETWORK_ACL_ENTRY, STR("previousaclruleid"),
				   "Both previous and next ACL rule IDs cannot be blank.");
	TRY(gather_entries(op, acl, &all));
	TRY(check_digest(op, &all, wish->digest));
	int64_t last = all.count ? all.at[all.count - 1].number : 0;
	int64_t number = !previous ? 1 : !next ? last + 1 : previous->number + 1;
	if (previous && next && number != next->number && has_number(&all, number))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK_ACL_ENTRY, wish->previous.field,
				   "There are some inconsistencies with the data you sent. The new position "
				   "calculated already has a ACL rule on it.");
	TRY(number_entry(op, &moved, 0)); /* frees the entry's present number while others move */
	TRY(make_room(op, &all, moved.row.id, number));
	TRY(number_entry(op, &moved, number));
	struct network_acl_entry_wish told = {.egress = moved.egress, .number = number};
	return touch_acl(op, network_acl_find(op->head, moved.acl), &told, "one that was moved there");
}

/* ---- associations ---- */

static RESULT find_association(struct op *op, const struct ref *ref, const struct subnet **ret_subnet)
{
	const struct subnet *s = subnet_first_by_account(op->head, engine_get_account(op->ctx));
	for (; s; s = subnet_next_by_account(op->head, s))
		if (row_is_live(&s->row) && !uuid_is_none(s->acl) &&
		    id_has_prefix(s->acl_association, ref->prefix, ref->bits)) {
			*ret_subnet = s;
			return OK;
		}
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, ref->field,
			   "The association ID '%" STR_FMT "' does not exist", STR_ARG(ref->text));
}

RESULT engine_replace_network_acl_association(struct op *op, struct network_acl_association *wish)
{
	const struct network_acl *acl = NULL;
	const struct subnet *subnet = NULL;
	TRY(find_association(op, &wish->association, &subnet));
	TRY(engine_find_own_network_acl(op->ctx, op->head, &wish->acl, &acl));
	if (!uuid_equal(acl->router, subnet->router))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_NETWORK_ACL, wish->acl.field,
			"network ACL %" STR_FMT " and subnet %" STR_FMT " belong to different networks",
			STR_ARG(wish->acl.text), STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
	TRY(engine_permit(op, "network_acl.associate", KIND_NETWORK_ACL, &acl->row));
	TRY(engine_permit(op, "network_acl.associate", KIND_SUBNET, &subnet->row));
	struct subnet next = *subnet;
	next.acl = acl->row.id;
	next.acl_association = uuid_random();
	next.row.gen++;
	wish->made = next.acl_association;
	TRY(subnet_put(op, &next));
	return engine_log_event(op, KIND_SUBNET, &next.row, "network ACL changed", "It is %" STR_FMT " now.",
				STR_ARG(engine_write_id(op, KIND_NETWORK_ACL, acl->row.id)));
}
