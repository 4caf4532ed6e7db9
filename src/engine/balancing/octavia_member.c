/* SPDX-License-Identifier: Apache-2.0
 * Members of pools of Octavia's load balancers. A member is an address that the balancer's front can reach; no interface
 * needs to have it. */
#include <inttypes.h>

#include "engine/balancing/octavia_internal.h"
#include "engine/limits.h"
#include "engine/network/port/port_internal.h"
#include "engine/tag_internal.h"
#include "store/elastic_load_balancer.h"
#include "store/proxy.h"
#include "store/subnet.h"
#include "store/target.h"
#include "store/target_group.h"

/* Addresses that lead to the proxy itself, to the region's metadata service, or to no single machine. */
static bool is_reserved(struct ip ip)
{
	static const char *const blocks[] = {"0.0.0.0/8", "127.0.0.0/8",   "169.254.0.0/16", "224.0.0.0/3",
					     "::/127",    "fd00:ec2::/32", "fe80::/10",      "ff00::/8"};
	for (size_t k = 0; k < sizeof blocks / sizeof blocks[0]; k++) {
		struct cidr block;
		if (result_is_ok(cidr_parse(str_from(blocks[k]), &block)) && cidr_contains(block, ip))
			return true;
	}
	return false;
}

/* The proxy has interfaces in the VIP's subnet alone, which have addresses of one family. */
static RESULT check_address(struct op *op, const struct target_group *group, struct ip ip, const char *field)
{
	char text[IP_TEXT_SIZE];
	enum ip_family family = octavia_get_family(op->head, group->elastic_load_balancer);
	if (ip.family != family)
		return OCTAVIA_UNSUPPORTED(op, str_from(field),
					   "Members of this load balancer have IPv%d addresses, as its VIP.",
					   family == IP_V6 ? 6 : 4);
	if (!is_reserved(ip))
		return OK;
	return OCTAVIA_INVALID(op, str_from(field), "%s is not a valid option for member %s",
			       ip_write(ip, text), field);
}

/* The values of a new member, or of one that a batch replaces. */
static RESULT set_values(struct op *op, const struct target_group *group, const struct octavia_member *wish,
			 int64_t gen, struct target *next)
{
	const struct subnet *subnet = NULL;
	TRY(check_address(op, group, wish->address, "address"));
	if (!ip_is_none(wish->check_ip))
		TRY(check_address(op, group, wish->check_ip, "monitor_address"));
	if (ref_is_given(&wish->subnet) && wish->subnet.bits)
		TRY(port_find_subnet(op, &wish->subnet, &subnet));
	next->title = wish->name;
	next->is_down = wish->is_down;
	next->is_backup = wish->is_backup;
	next->weight = wish->weight;
	next->check_ip = wish->check_ip;
	next->check_number = wish->check_number;
	next->subnet = subnet ? subnet->row.id : UUID_NONE;
	next->proxy_gen = gen;
	return tag_normalize(op, wish->tags, &next->tags);
}

RESULT octavia_put_member(struct op *op, const struct target_group *group, const struct octavia_member *wish,
			  int64_t gen, uuid *ret_member)
{
	char text[IP_TEXT_SIZE];
	struct target made = {.row = {.id = engine_new_id(op, KIND_TARGET), .gen = 1},
			      .account = group->account,
			      .target_group = group->row.id,
			      .private_ip = wish->address,
			      .number = wish->number,
			      .changed_us = op->now_us};
	TRY(set_values(op, group, wish, gen, &made));
	if (target_find_by_target_group(op->head, group->row.id, made.private_ip, made.number))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_TARGET, STR("address"),
				   "Another member on this pool is already using ip %s on protocol_port "
				   "%" PRId64,
				   ip_write(made.private_ip, text), made.number);
	TRY(limit_check(op, LIMIT_TARGETS, group->row.id, 1, STR_NONE));
	*ret_member = made.row.id;
	return target_put(op, &made);
}

RESULT engine_create_octavia_member(struct op *op, struct octavia_member_wish *wish)
{
	const struct target_group *group = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_pool(op, &wish->pool, "target_group.register", &group));
	TRY(octavia_touch(op, group->elastic_load_balancer, &gen));
	TRY(octavia_put_member(op, group, &wish->member, gen, &wish->made));
	return engine_log_event(op, KIND_TARGET_GROUP, &group->row, "targets registered", "%d named.", 1);
}

static RESULT permit_member(struct op *op, const struct ref *pool, const struct ref *member,
			    const char *permission, const struct target_group **ret_group,
			    const struct target **ret_target)
{
	const struct row *row = NULL;
	TRY(octavia_permit_pool(op, pool, permission, ret_group));
	TRY(engine_find_own(op->ctx, op->head, KIND_TARGET, member, &row));
	*ret_target = target_of(row);
	return uuid_equal((*ret_target)->target_group, (*ret_group)->row.id)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_TARGET, member);
}

RESULT engine_change_octavia_member(struct op *op, struct octavia_member_change *wish)
{
	const struct target_group *group = NULL;
	const struct target *present = NULL;
	TRY(permit_member(op, &wish->pool, &wish->member, "target_group.register", &group, &present));
	struct target next = *present;
	if (wish->name)
		next.title = *wish->name;
	choice_apply(wish->is_down, &next.is_down);
	choice_apply(wish->is_backup, &next.is_backup);
	if (wish->weight)
		next.weight = *wish->weight;
	if (wish->check_number)
		next.check_number = *wish->check_number;
	if (wish->check_ip && !ip_is_none(*wish->check_ip))
		TRY(check_address(op, group, *wish->check_ip, "monitor_address"));
	if (wish->check_ip)
		next.check_ip = *wish->check_ip;
	if (wish->words)
		TRY(tag_normalize(op, wish->tags, &next.tags));
	next.row.gen++;
	next.changed_us = op->now_us;
	TRY(octavia_touch(op, group->elastic_load_balancer, &next.proxy_gen));
	TRY(target_put(op, &next));
	return engine_log_event(op, KIND_TARGET_GROUP, &group->row, "changed", "Member changed.");
}

RESULT engine_delete_octavia_member(struct op *op, struct octavia_member_target *wish)
{
	const struct target_group *group = NULL;
	const struct target *target = NULL;
	int64_t gen = 0;
	TRY(permit_member(op, &wish->pool, &wish->member, "target_group.deregister", &group, &target));
	TRY(octavia_touch(op, group->elastic_load_balancer, &gen));
	TRY(target_forget(op, target->row.id));
	return engine_log_event(op, KIND_TARGET_GROUP, &group->row, "targets deregistered", "%d named.", 1);
}

/* ---- batches ---- */

static const struct octavia_member *find_wished(const struct octavia_members *members,
						const struct target *target)
{
	for (size_t k = 0; k < members->count; k++)
		if (ip_equal(members->at[k].address, target->private_ip) &&
		    members->at[k].number == target->number)
			return &members->at[k];
	return NULL;
}

static RESULT drop_others(struct op *op, uuid group, const struct octavia_members *members)
{
	const struct target *target = target_first_by_target_group(op->head, group), *next = NULL;
	for (; target; target = next) {
		next = target_next_by_target_group(op->head, target);
		if (!find_wished(members, target))
			TRY(target_forget(op, target->row.id));
	}
	return OK;
}

/* Puts a member that the batch names: a new one, or the present one with new values. */
static RESULT put_wished(struct op *op, uuid id, const struct octavia_member *wish, int64_t gen)
{
	uuid made;
	const struct target_group *group = target_group_find(op->head, id);
	const struct target *present = target_find_by_target_group(op->head, id, wish->address, wish->number);
	if (!present)
		return octavia_put_member(op, group, wish, gen, &made);
	struct target next = *present;
	if (next.proxy_gen == gen)
		return OCTAVIA_INVALID(op, STR("members"),
				       "Validation failure: Member must be updated only once in the same "
				       "request.");
	TRY(set_values(op, group, wish, gen, &next));
	next.row.gen++;
	next.changed_us = op->now_us;
	return target_put(op, &next);
}

RESULT engine_put_octavia_members(struct op *op, struct octavia_batch *wish)
{
	const struct target_group *group = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_pool(op, &wish->pool, "target_group.register", &group));
	if (!wish->is_additive)
		TRY(engine_permit(op, "target_group.deregister", KIND_TARGET_GROUP, &group->row));
	uuid id = group->row.id;
	TRY(octavia_touch(op, group->elastic_load_balancer, &gen));
	if (!wish->is_additive)
		TRY(drop_others(op, id, &wish->members));
	for (size_t k = 0; k < wish->members.count; k++)
		TRY(put_wished(op, id, &wish->members.at[k], gen));
	return engine_log_event(op, KIND_TARGET_GROUP, &group->row, "targets registered", "%zu named.",
				wish->members.count);
}
