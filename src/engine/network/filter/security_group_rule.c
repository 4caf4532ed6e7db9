/* SPDX-License-Identifier: Apache-2.0
 * Rules of security groups: authorized, changed and revoked, all rules of a call or none. A revoked rule
 * stays marked deleted for RULE_TRACKED_US, for connections that it has allowed. */
#include "store/security_group_rule.h"

#include <netinet/in.h>

#include "base/clock.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/filter/address_group.h"
#include "engine/network/filter/address_group_internal.h"
#include "engine/network/filter/security_group.h"
#include "engine/network/filter/security_group_association.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/peering_internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "model/address_group.h"
#include "store/account.h"
#include "store/peering.h"
#include "store/router.h"
#include "store/security_group.h"

enum { GROUP_REVOKED_MAX = 100, PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58 };

/* ---- from wishes to rows ---- */

static RESULT fail_ports(struct op *op, const struct rule_wish *wish)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SECURITY_GROUP_RULE, wish->field,
			   "Invalid range %lld to %lld for protocol %lld", (long long) wish->from_port,
			   (long long) wish->to_port, (long long) wish->protocol);
}

static RESULT check_ports(struct op *op, const struct rule_wish *wish, struct security_group_rule *rule)
{
	rule->from_port = rule->to_port = -1;
	switch (wish->protocol) {
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
		if (wish->from_port < 0 || wish->to_port > 65535 || wish->from_port > wish->to_port)
			return fail_ports(op, wish);
		break;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMP6:
		if (wish->from_port < -1 || wish->from_port > 255 || wish->to_port < -1 ||
		    wish->to_port > 255 || (wish->from_port == -1 && wish->to_port != -1))
			return fail_ports(op, wish);
		break;
	default:
		return OK; /* other protocols have no ports */
	}
	rule->from_port = wish->from_port;
	rule->to_port = wish->to_port;
	return OK;
}

/* A live rule of the group whose peer group may be gone: over a peering, or stale. Lets a call name a rule by
 * a group id that no longer resolves. */
static const struct security_group_rule *find_stale(const struct tables *t,
						    const struct security_group *group, const struct ref *ref)
{
	const struct security_group_rule *rule = security_group_rule_first_by_group(t, group->row.id);
	while (rule && !(row_is_live(&rule->row) && id_has_prefix(rule->peer_group, ref->prefix, ref->bits) &&
			 (!uuid_is_none(rule->peering) || engine_is_rule_stale(t, rule))))
		rule = security_group_rule_next_by_group(t, rule);
	return rule;
}

/* Peering over which the ref names a group of another VPC, perhaps of another account; NULL if there is
 * none. */
static const struct peering *find_peering_to(struct op *op, const struct security_group *group,
					     const struct ref *ref, const struct security_group **ret_peer)
{
	const struct row *row =
		ref->kind == KIND_SECURITY_GROUP && ref->bits
			? tables_find_prefix(op->head, KIND_SECURITY_GROUP, ref->prefix, ref->bits)
			: NULL;
	*ret_peer = security_group_of(row);
	if (!row_is_live(row) || uuid_is_none(group->router) || uuid_is_none((*ret_peer)->router))
		return NULL;
	return peering_find_between(op->head, group->router, (*ret_peer)->router);
}

/* Checks router, peering and owner of the peer group against what the call says of them. */
static RESULT check_peer(struct op *op, const struct rule_wish *wish, const struct security_group *peer,
			 uuid peering)
{
	const struct account *owner = account_find(op->head, peer->account);
	const struct ref *router = &wish->peer_router, *over = &wish->peering;
	if (ref_is_given(router) && !id_has_prefix(peer->router, router->prefix, router->bits))
		return engine_fail_not_found(op->ctx, KIND_ROUTER, router);
	if (ref_is_given(over) && !id_has_prefix(peering, over->prefix, over->bits))
		return engine_fail_not_found(op->ctx, KIND_PEERING, over);
	if (!str_is_empty(wish->peer_owner) && !(owner && str_equal(owner->number, wish->peer_owner)))
		return engine_fail_not_found(op->ctx, KIND_SECURITY_GROUP, &wish->peer_group);
	return OK;
}

static RESULT resolve_peer_group(struct op *op, const struct security_group *group,
				 const struct rule_wish *wish, struct security_group_rule *rule)
{
	const struct security_group *peer = NULL;
	const struct peering *peering = find_peering_to(op, group, &wish->peer_group, &peer);
	const struct security_group_rule *stale =
		peering || !wish->peer_group.bits ? NULL : find_stale(op->head, group, &wish->peer_group);
	if (stale) {
		rule->peer_group = stale->peer_group;
		rule->peering = stale->peering;
		return OK;
	}
	if (!peering)
		TRY(engine_find_group_in(op->ctx, op->head, group->account, group->router, &wish->peer_group,
					 &peer));
	rule->peer_group = peer->row.id;
	rule->peering = peering ? peering->row.id : UUID_NONE;
	return check_peer(op, wish, peer, rule->peering);
}

static RESULT resolve_rule(struct op *op, const struct security_group *group,
			   enum security_group_rule_direction direction, const struct rule_wish *wish,
			   struct security_group_rule *ret_rule)
{
	*ret_rule = (struct security_group_rule){.row.gen = 1,
						 .account = group->account,
						 .group = group->row.id,
						 .direction = direction,
						 .protocol = wish->protocol,
						 .said_protocol = wish->said_protocol,
						 .description = wish->description};
	if (wish->protocol < -1 || wish->protocol > 255)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SECURITY_GROUP_RULE, wish->field,
				   "Invalid IP protocol number: %lld", (long long) wish->protocol);
	if (wish->description.n > 255)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SECURITY_GROUP_RULE, wish->field,
				   "A rule's description has up to 255 characters.");
	TRY(check_ports(op, wish, ret_rule));
	if (ref_is_given(&wish->peer_group) + ref_is_given(&wish->peer_addresses) +
		    !cidr_is_none(wish->peer_block) !=
	    1)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_SECURITY_GROUP_RULE, wish->field,
				   "A rule has exactly one peer: an address block, a security group or an "
				   "address group.");
	ret_rule->is_ipv6 = wish->is_ipv6 && cidr_is_none(wish->peer_block);
	if (ref_is_given(&wish->peer_addresses)) {
		const struct address_group *addresses = NULL;
		TRY(address_group_resolve(op, group->account, &wish->peer_addresses, &addresses));
		ret_rule->peer_address_group = addresses->row.id;
		ret_rule->is_ipv6 =
			wish->is_of_their_family ? engine_is_ipv6_addresses(addresses) : wish->is_ipv6;
		return OK;
	}
	if (!ref_is_given(&wish->peer_group)) {
		ret_rule->peer_block = cidr_canonical(wish->peer_block);
		ret_rule->said_block = wish->says_no_block ? (struct cidr){0} : wish->peer_block;
		return OK;
	}
	return resolve_peer_group(op, group, wish, ret_rule);
}

bool engine_is_rule_stale(const struct tables *t, const struct security_group_rule *rule)
{
	if (uuid_is_none(rule->peer_group))
		return false;
	const struct security_group *peer = security_group_find(t, rule->peer_group);
	if (uuid_is_none(rule->peering)) {
		const struct security_group *group = security_group_find(t, rule->group);
		return peer && group && !engine_is_group_in(t, peer, group->router);
	}
	const struct peering *peering = peering_find(t, rule->peering);
	return !peering || !row_is_live(&peering->row) || !peer || !row_is_live(&peer->row);
}

bool engine_is_rule_of_both(const struct security_group *group, const struct security_group_rule *rule)
{
	return !uuid_is_none(group->router) && !uuid_is_none(rule->peer_group) && !rule->is_ipv6 &&
	       rule->protocol != IPPROTO_ICMP;
}

/* A block says its family itself. Older programs also set is_ipv6 in the rules that a new group starts with. */
static bool same_rule(const struct security_group_rule *a, const struct security_group_rule *b)
{
	bool same_family = !cidr_is_none(a->peer_block) || a->is_ipv6 == b->is_ipv6;
	return a->direction == b->direction && a->protocol == b->protocol && a->from_port == b->from_port &&
	       a->to_port == b->to_port && cidr_equal(a->peer_block, b->peer_block) &&
	       uuid_equal(a->peer_group, b->peer_group) &&
	       uuid_equal(a->peer_address_group, b->peer_address_group) && same_family;
}

/* The group's live rule with the same content, or NULL. */
static const struct security_group_rule *find_same(const struct tables *t,
						   const struct security_group_rule *rule)
{
	const struct security_group_rule *found = NULL,
					 *each = security_group_rule_first_by_group(t, rule->group);
	for (; each; each = security_group_rule_next_by_group(t, each))
		if (row_is_live(&each->row) && same_rule(each, rule))
			found = each;
	return found;
}

static RESULT bump_group(struct op *op, const struct security_group *group, const char *what, size_t count)
{
	struct security_group next = *group;
	next.row.gen++;
	TRY(security_group_put(op, &next));
	return engine_log_event(op, KIND_SECURITY_GROUP, &next.row, what, "%zu rules.", count);
}

/* ---- operations ---- */

static const char *write_peer(const struct security_group_rule *rule, char out[static CIDR_TEXT_SIZE])
{
	if (!uuid_is_none(rule->peer_group))
		return id_write_ec2(KIND_SECURITY_GROUP, rule->peer_group, out);
	if (!uuid_is_none(rule->peer_address_group))
		return id_write_ec2(KIND_ADDRESS_GROUP, rule->peer_address_group, out);
	return cidr_write(rule->peer_block, out);
}

/* EC2's words for all protocols, TCP and UDP; those for others are not documented. */
static struct str write_traffic(struct op *op, const struct security_group_rule *rule)
{
	struct arena *a = op->ctx->arena;
	struct str protocol = rule->protocol == 6 ? STR("TCP")
			      : rule->protocol == 17
				      ? STR("UDP")
				      : str_print(a, "protocol: %lld", (long long) rule->protocol);
	if (rule->protocol == -1)
		return STR("ALL");
	return str_print(a, "%" STR_FMT ", from port: %lld, to port: %lld", STR_ARG(protocol),
			 (long long) rule->from_port, (long long) rule->to_port);
}

static RESULT fail_exists(struct op *op, const struct rule_wish *wish, const struct security_group_rule *same)
{
	char peer[CIDR_TEXT_SIZE];
	const struct ref about = {.text = engine_write_id(op, KIND_SECURITY_GROUP_RULE, same->row.id),
				  .field = wish->field};
	return ENGINE_FAIL_ABOUT(op, ERR_EXISTS, KIND_SECURITY_GROUP_RULE, &about,
				 "the specified rule \"peer: %s, %" STR_FMT ", ALLOW\" already exists",
				 write_peer(same, peer), STR_ARG(write_traffic(op, same)));
}

static RESULT fail_repeated(struct op *op, const struct rule_wish *wish)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SECURITY_GROUP_RULE, wish->field,
			   "The same permission must not appear multiple times");
}

/* made: rules that this call has added so far. */
static RESULT write_rule(struct op *op, const struct rules_wish *all, const struct rule_wish *wish,
			 const struct uuids *made, struct security_group_rule *rule)
{
	const struct security_group_rule *same = find_same(op->head, rule);
	for (size_t k = 0; same && all->is_ec2s && k < made->count; k++)
		if (uuid_equal(made->at[k], same->row.id))
			return fail_repeated(op, wish);
	if (same)
		return fail_exists(op, wish, same);
	TRY(limit_check(op, LIMIT_GROUP_RULES, rule->group, 1, wish->field));
	rule->row.id = engine_new_id(op, KIND_SECURITY_GROUP_RULE);
	return security_group_rule_put(op, rule);
}

static RESULT new_ids(struct op *op, size_t count, uuid **ret_ids)
{
	*ret_ids = arena_new_array(op->ctx->arena, uuid, count ? count : 1);
	return *ret_ids ? OK : ctx_no_memory(op->ctx);
}

/* A rule marked deleted still allows tracked connections. The number of such rules of a group is limited;
 * beyond it, revoked rules are forgotten at once. */
static bool may_stay_revoked(const struct op *op, uuid group)
{
	size_t revoked = 0;
	const struct security_group_rule *each = security_group_rule_first_by_group(op->head, group);
	for (; each; each = security_group_rule_next_by_group(op->head, each))
		revoked += !row_is_live(&each->row);
	return revoked < GROUP_REVOKED_MAX;
}

static RESULT revoke_rule(struct op *op, const struct security_group_rule *rule)
{
	return may_stay_revoked(op, rule->group) ? security_group_rule_delete(op, rule->row.id)
						 : security_group_rule_forget(op, rule->row.id);
}

/* Revokes the rules that allow all egress, unless the group has other egress rules. */
static RESULT close_egress(struct op *op, const struct security_group *group)
{
	const struct security_group_rule *rule = security_group_rule_first_by_group(op->head, group->row.id),
					 *next = NULL;
	for (; rule; rule = security_group_rule_next_by_group(op->head, rule))
		if (row_is_live(&rule->row) && rule->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS &&
		    !security_group_lets_all_out(rule))
			return OK;
	for (rule = security_group_rule_first_by_group(op->head, group->row.id); rule; rule = next) {
		next = security_group_rule_next_by_group(op->head, rule);
		if (security_group_lets_all_out(rule))
			TRY(revoke_rule(op, rule));
	}
	return OK;
}

static RESULT find_changeable(struct op *op, const struct ref *ref, const char *permission,
			      const struct security_group **ret_group)
{
	TRY(engine_permit_security_group(op, ref, permission, ret_group));
	return (*ret_group)->lets_all
		       ? ENGINE_FAIL(op, ERR_PROTECTED, KIND_SECURITY_GROUP_RULE, ref->field,
				     "The rules of the security group '%" STR_FMT
				     "' cannot be changed: it lets everything through, and its machines are "
				     "guarded "
				     "by their network.",
				     STR_ARG(engine_write_id(op, KIND_SECURITY_GROUP, (*ret_group)->row.id)))
		       : OK;
}

RESULT engine_authorize_rules(struct op *op, struct rules_wish *wish)
{
	const struct security_group *group = NULL;
	struct tags tags = {0};
	uuid *made = NULL;
	size_t count = 0;
	TRY(find_changeable(op, &wish->group, "security_group.authorize", &group));
	TRY(engine_check_owner(op, &wish->account, group->account));
	TRY(tag_normalize(op, wish->tags, &tags));
	TRY(quota_check(op, group->account, QUOTA_RULES, (int64_t) wish->rule_count));
	TRY(new_ids(op, wish->rule_count, &made));
	if (wish->none_is_all && wish->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS)
		TRY(close_egress(op, group));
	for (size_t n = 0; n < wish->rule_count; n++) {
		struct security_group_rule rule;
		TRY(resolve_rule(op, group, wish->direction, &wish->rules[n], &rule));
		rule.tags = tags;
		if (wish->skips_present && find_same(op->head, &rule))
			continue;
		TRY(write_rule(op, wish, &wish->rules[n], &(struct uuids){made, count}, &rule));
		made[count++] = rule.row.id;
	}
	if (wish->skips_present && !count)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_SECURITY_GROUP_RULE, wish->group.field,
				   "Failed to authorize security group rule(s): each of them exists");
	wish->made = (struct uuids){made, count};
	return bump_group(op, group, "rules added", count);
}

static RESULT find_in_group(struct op *op, const struct security_group *group, const struct ref *ref,
			    const struct security_group_rule **ret_rule)
{
	TRY(engine_find_own_security_group_rule(op->ctx, op->head, ref, ret_rule));
	return uuid_equal((*ret_rule)->group, group->row.id)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_SECURITY_GROUP_RULE, ref);
}

static RESULT fail_absent(struct op *op, const struct rule_wish *wish)
{
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SECURITY_GROUP_RULE, wish->field,
			   "The specified rule does not exist in this security group.");
}

/* Finds the group's rule with the requested content. */
static RESULT find_by_spec(struct op *op, const struct security_group *group,
			   enum security_group_rule_direction direction, const struct rule_wish *wish,
			   const struct security_group_rule **ret_rule)
{
	struct security_group_rule rule;
	TRY(resolve_rule(op, group, direction, wish, &rule));
	*ret_rule = find_same(op->head, &rule);
	return *ret_rule ? OK : fail_absent(op, wish);
}

/* Copies the rule, because its row may go before the answer is written. */
static void add_copy(struct op *op, struct security_group_rules *rules,
		     const struct security_group_rule *rule)
{
	struct security_group_rule *copy = &rules->at[rules->count++];
	*copy = *rule;
	copy->description = str_copy(op->ctx->arena, rule->description);
	copy->said_protocol = STR_NONE;
	copy->tags = (struct tags){0};
}

static RESULT remove_rule(struct op *op, struct rules_wish *wish, const struct security_group_rule *rule)
{
	add_copy(op, &wish->revoked, rule);
	return revoke_rule(op, rule);
}

static bool has_same(const struct security_group_rules *rules, const struct security_group_rule *rule)
{
	for (size_t k = 0; k < rules->count; k++)
		if (same_rule(&rules->at[k], rule))
			return true;
	return false;
}

static bool is_in_default_vpc(const struct op *op, const struct security_group *group)
{
	const struct router *router = router_find(op->head, group->router);
	return router && router->is_default;
}

static RESULT revoke_by_spec(struct op *op, const struct security_group *group, struct rules_wish *wish)
{
	bool passes_over = wish->is_ec2s && is_in_default_vpc(op, group);
	for (size_t n = 0; n < wish->rule_count; n++) {
		const struct security_group_rule *found = NULL;
		struct security_group_rule rule;
		TRY(resolve_rule(op, group, wish->direction, &wish->rules[n], &rule));
		found = find_same(op->head, &rule);
		if (!found && wish->is_ec2s && has_same(&wish->revoked, &rule))
			return fail_repeated(op, &wish->rules[n]);
		if (!found && passes_over)
			add_copy(op, &wish->unknown, &rule);
		else if (!found)
			return fail_absent(op, &wish->rules[n]);
		else
			TRY(remove_rule(op, wish, found));
	}
	return OK;
}

static RESULT revoke_by_id(struct op *op, const struct security_group *group, struct rules_wish *wish)
{
	for (size_t n = 0; n < wish->rule_ids.count; n++) {
		const struct ref *ref = &wish->rule_ids.at[n];
		const struct security_group_rule *rule = NULL;
		TRY(find_in_group(op, group, ref, &rule));
		if (rule->direction != wish->direction)
			return engine_fail_not_found(op->ctx, KIND_SECURITY_GROUP_RULE, ref);
		TRY(remove_rule(op, wish, rule));
	}
	return OK;
}

/* Takes group and direction from the rule that the call names. */
static RESULT name_group_of_rule(struct op *op, struct rules_wish *wish)
{
	const struct security_group_rule *rule = NULL;
	TRY(engine_find_own_security_group_rule(op->ctx, op->head, &wish->rule_ids.at[0], &rule));
	wish->direction = rule->direction;
	wish->group = (struct ref){.kind = KIND_SECURITY_GROUP,
				   .prefix = rule->group,
				   .bits = 128,
				   .field = wish->rule_ids.at[0].field};
	return OK;
}

static RESULT make_room(struct op *op, struct rules_wish *wish, size_t count)
{
	wish->revoked.count = wish->unknown.count = 0; /* a wish may be used again */
	wish->revoked.at = arena_new_array(op->ctx->arena, struct security_group_rule, count + 1);
	wish->unknown.at = arena_new_array(op->ctx->arena, struct security_group_rule, count + 1);
	return wish->revoked.at && wish->unknown.at ? OK : ctx_no_memory(op->ctx);
}

static RESULT tell_removed(struct op *op, struct rules_wish *wish)
{
	uuid *removed = NULL;
	TRY(new_ids(op, wish->revoked.count, &removed));
	for (size_t k = 0; k < wish->revoked.count; k++)
		removed[k] = wish->revoked.at[k].row.id;
	wish->made = (struct uuids){removed, wish->revoked.count};
	return OK;
}

RESULT engine_revoke_rules(struct op *op, struct rules_wish *wish)
{
	const struct security_group *group = NULL;
	bool by_id = wish->rule_ids.count > 0;
	if (by_id && !ref_is_given(&wish->group))
		TRY(name_group_of_rule(op, wish));
	TRY(find_changeable(op, &wish->group, "security_group.revoke", &group));
	TRY(make_room(op, wish, by_id ? wish->rule_ids.count : wish->rule_count));
	TRY(by_id ? revoke_by_id(op, group, wish) : revoke_by_spec(op, group, wish));
	TRY(tell_removed(op, wish));
	if (wish->none_is_all && wish->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS)
		TRY(security_group_open_egress(op, group));
	return bump_group(op, group, "rules removed", wish->revoked.count);
}

RESULT engine_update_rule_descriptions(struct op *op, struct rules_wish *wish)
{
	const struct security_group *group = NULL;
	TRY(engine_permit_security_group(op, &wish->group, "security_group.update_rule_descriptions",
					 &group));
	for (size_t n = 0; n < wish->rule_count; n++) {
		const struct rule_wish *each = &wish->rules[n];
		const struct security_group_rule *rule = NULL;
		TRY(ref_is_given(&each->rule) ? find_in_group(op, group, &each->rule, &rule)
					      : find_by_spec(op, group, wish->direction, each, &rule));
		if (rule->direction != wish->direction)
			return engine_fail_not_found(op->ctx, KIND_SECURITY_GROUP_RULE, &each->rule);
		struct security_group_rule next = *rule;
		next.description = each->description;
		next.row.gen++;
		TRY(security_group_rule_put(op, &next));
	}
	return engine_log_event(op, KIND_SECURITY_GROUP, &group->row, "rules described", "%zu rules.",
				wish->rule_count);
}

/* Leaves a copy of the rule as if it had been revoked, for connections that it has allowed. */
static RESULT leave_revoked(struct op *op, const struct security_group_rule *rule)
{
	struct security_group_rule old = *rule;
	if (!may_stay_revoked(op, rule->group))
		return OK;
	old.row = (struct row){.id = engine_new_id(op, KIND_SECURITY_GROUP_RULE), .gen = 1};
	TRY(security_group_rule_put(op, &old));
	return security_group_rule_delete(op, old.row.id);
}

static RESULT modify_rule(struct op *op, const struct security_group *group, const struct rule_wish *wish)
{
	const struct security_group_rule *rule = NULL, *same = NULL;
	struct security_group_rule next;
	TRY(find_in_group(op, group, &wish->rule, &rule));
	TRY(resolve_rule(op, group, rule->direction, wish, &next));
	same = find_same(op->head, &next);
	if (same && same != rule)
		return fail_exists(op, wish, same);
	if (!same)
		TRY(leave_revoked(op, rule));
	next.row = rule->row;
	next.row.gen++;
	next.tags = rule->tags;
	return security_group_rule_put(op, &next);
}

RESULT engine_modify_rules(struct op *op, struct rules_wish *wish)
{
	const struct security_group *group = NULL;
	TRY(find_changeable(op, &wish->group, "security_group.modify_rules", &group));
	for (size_t n = 0; n < wish->rule_count; n++)
		TRY(modify_rule(op, group, &wish->rules[n]));
	return bump_group(op, group, "rules changed", wish->rule_count);
}

/* ---- reports of the reconciler ---- */

RESULT engine_forget_rule(struct op *op, struct rule_forget *wish)
{
	const struct security_group_rule *rule = security_group_rule_find(op->head, wish->rule);
	if (!rule)
		return OK;
	if (row_is_live(&rule->row) || op->now_us < rule->row.deleted_us + RULE_TRACKED_US)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SECURITY_GROUP_RULE,
				     "The rule is not revoked, or not long enough.");
	return security_group_rule_forget(op, wish->rule);
}
