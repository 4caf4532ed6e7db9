/* SPDX-License-Identifier: Apache-2.0
 * Number of instances that quotas, limits and public addresses allow for a launch. */
#include "engine/instance/launch/launch_internal.h"

#include "engine/instance/placement/server_group_internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/people/user_limit.h"
#include "engine/quota_internal.h"
#include "engine/storage/volume_type/volume_type_limit_internal.h"
#include "model/account.h"
#include "model/instance_type.h"
#include "store/subnet.h"

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Volumes and bytes that one instance's new disks of the type use. */
static struct volume_type_figures disks_of_type(const struct launch *l, struct str type)
{
	struct volume_type_figures sum = {0};
	for (size_t n = 0; n < l->disks.count; n++) {
		const struct disk_plan *disk = &l->disks.at[n];
		if (disk->existing || !str_equal(disk->type, type))
			continue;
		sum.volumes++;
		sum.bytes += disk->size;
	}
	return sum;
}

static RESULT check_type_limits(struct launch *l)
{
	uuid account = l->account->row.id;
	for (size_t n = 0; n < l->disks.count; n++) {
		struct str type = l->disks.at[n].type;
		const struct volume_type_figures each = disks_of_type(l, type);
		const struct volume_type_figures wanted = {.volumes = each.volumes * l->wish->min_count,
							   .bytes = each.bytes * l->wish->min_count};
		l->count = least(l->count, volume_type_limit_left(l->op, account, type, &each));
		if (l->count < l->wish->min_count)
			return volume_type_limit_check(l->op, account, type, &wanted);
	}
	return OK;
}

/* Quotas that free units of capacity reservations count for: an instance that takes one needs nothing more. */
static bool is_counted(enum quota quota)
{
	return quota == QUOTA_INSTANCES || quota == QUOTA_VCPUS || quota == QUOTA_MEMORY;
}

/* If fewer than min_count fit, the failure names the quota that is exceeded. */
RESULT launch_check_quotas(struct launch *l)
{
	struct op *op = l->op;
	const struct {
		enum quota quota;
		int64_t each;
	} needs[] = {
		{QUOTA_INSTANCES, 1},
		{QUOTA_VCPUS, l->type->vcpus},
		{QUOTA_MEMORY, l->type->memory},
		{QUOTA_VOLUMES, l->new_disk_count},
		{QUOTA_VOLUME_BYTES, l->new_disk},
		{QUOTA_PORTS, (int64_t) l->ports.new_count},
	};
	const struct capacity_match match = launch_capacity_in(l, l->zone);
	int64_t units = capacity_count_free(op->head, &match);
	l->count = l->wish->max_count;
	if (l->group)
		TRY(server_group_check_members(op, l->group, l->wish->min_count,
					       l->wish->server_group.field));
	for (size_t n = 0; n < sizeof needs / sizeof *needs; n++) {
		int64_t left = quota_left(op->head, l->account->row.id, needs[n].quota, needs[n].each);
		int64_t counted = is_counted(needs[n].quota) ? units : 0;
		l->count = least(l->count, left > INT64_MAX - counted ? left : left + counted);
		if (l->count < l->wish->min_count)
			return quota_check(op, l->account->row.id, needs[n].quota,
					   needs[n].each * (l->wish->min_count - counted));
	}
	int64_t left = user_limit_left(op, l->account->row.id, l->type->vcpus, l->type->memory);
	TRY(check_type_limits(l));
	const struct user_figures least_wanted = {l->wish->min_count, l->type->vcpus * l->wish->min_count,
						  l->type->memory * l->wish->min_count};
	l->count = least(l->count, left);
	return l->count < l->wish->min_count && op->ctx->who
		       ? user_limit_check(op, l->account->row.id, op->ctx->who->user, &least_wanted)
		       : OK;
}

RESULT launch_check_addresses(struct launch *l)
{
	const struct launch_slot *primary = &l->ports.at[0];
	if (l->ports.count == 0 || !primary->wants_public_ip || primary->subnet->block.base.family != IP_V4)
		return OK;
	uuid router = primary->subnet->router;
	l->count = least(l->count, address_count_auto(l->op->head, router));
	return l->count < l->wish->min_count ? address_check_auto(l->op, router, l->wish->min_count) : OK;
}
