/* SPDX-License-Identifier: Apache-2.0
 * Quotas: limits in the account's row against the figures of its side. A limit below zero is none. */
#include "engine/internal.h"

#include <inttypes.h>

#include "engine/quota.h"
#include "engine/region.h"

struct quota_info {
	size_t limit, used; /* offsets in struct account and struct account_side */
	enum kind kind;     /* of the problem */
	const char *words;
	struct str setting; /* the default for new accounts */
	int64_t standard;   /* when there is no such setting */
};

#define QUOTA(figure, kind, words, standard)                                                                 \
	{                                                                                                    \
		offsetof(struct account, limit_##figure), offsetof(struct account_side, figure), kind,       \
			words, {"limit." #figure, sizeof "limit." #figure - 1}, standard                     \
	}
static const struct quota_info quotas[QUOTA_COUNT] = {
	[QUOTA_INSTANCES] = QUOTA(instances, KIND_INSTANCE, "instances", 200),
	[QUOTA_VCPUS] = QUOTA(vcpus, KIND_INSTANCE_TYPE, "vCPUs", 800),
	[QUOTA_MEMORY] = QUOTA(memory, KIND_INSTANCE_TYPE, "bytes of memory", INT64_C(3200) << 30),
	[QUOTA_VOLUMES] = QUOTA(volumes, KIND_VOLUME, "volumes", 1000),
	[QUOTA_VOLUME_BYTES] = QUOTA(volume_bytes, KIND_VOLUME, "bytes of volumes", INT64_C(20) << 40),
	[QUOTA_SNAPSHOTS] = QUOTA(snapshots, KIND_SNAPSHOT, "snapshots", 10000),
	[QUOTA_IMAGES] = QUOTA(images, KIND_IMAGE, "images", 5000),
	[QUOTA_ADDRESSES] = QUOTA(addresses, KIND_ADDRESS, "elastic addresses", 20),
	[QUOTA_ROUTERS] = QUOTA(routers, KIND_ROUTER, "VPCs", 20),
	[QUOTA_GROUPS] = QUOTA(groups, KIND_SECURITY_GROUP, "security groups", 500),
	[QUOTA_PORTS] = QUOTA(ports, KIND_PORT, "network interfaces", 5000),
	[QUOTA_NAT_GATEWAYS] = QUOTA(nat_gateways, KIND_NAT_GATEWAY, "NAT gateways", 20),
	[QUOTA_NETWORKS] = QUOTA(networks, KIND_NETWORK, "networks", 1000),
	[QUOTA_SUBNETS] = QUOTA(subnets, KIND_SUBNET, "subnets", 1000),
	[QUOTA_DEDICATED_HOSTS] = QUOTA(dedicated_hosts, KIND_DEDICATED_HOST, "dedicated hosts", 2),
	[QUOTA_RULES] = QUOTA(rules, KIND_SECURITY_GROUP_RULE, "security group rules", 50000),
};

int64_t *quota_limit(struct account *account, enum quota quota)
{
	return (int64_t *) (void *) ((char *) account + quotas[quota].limit);
}

struct str quota_setting(enum quota quota)
{
	return quotas[quota].setting;
}

static int64_t read_limit(const struct account *account, enum quota quota)
{
	return *(const int64_t *) (const void *) ((const char *) account + quotas[quota].limit);
}

static int64_t read_used(const struct account *account, enum quota quota)
{
	const char *side = account->row.side;
	return side ? *(const int64_t *) (const void *) (side + quotas[quota].used) : 0;
}

RESULT quota_check(struct op *op, uuid account, enum quota quota, int64_t more)
{
	const struct account *row = account_find(op->head, account);
	if (!row)
		return OK; /* the operator's own: no limits */
	int64_t limit = read_limit(row, quota), used = read_used(row, quota);
	if (limit < 0 || used + more <= limit)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_QUOTA, (int) quotas[quota].kind,
			     "The account has %" PRId64 " of %" PRId64 " %s; %" PRId64
			     " more would exceed its limit",
			     used, limit, quotas[quota].words, more);
}

int64_t quota_left(const struct tables *t, uuid account, enum quota quota, int64_t each)
{
	const struct account *row = account_find(t, account);
	int64_t limit = row ? read_limit(row, quota) : -1;
	if (limit < 0 || each <= 0)
		return INT64_MAX;
	int64_t left = limit - read_used(row, quota);
	return left > 0 ? left / each : 0;
}

void quota_set_defaults(const struct tables *t, struct account *account)
{
	for (enum quota quota = 0; quota < QUOTA_COUNT; quota++) {
		int64_t limit = quotas[quota].standard;
		/* A setting that is no number, or absent, leaves ours. */
		IGNORE(str_parse_int(engine_get_setting(t, quotas[quota].setting), &limit));
		*quota_limit(account, quota) = limit;
	}
}

void engine_get_default_limits(const struct tables *t, struct account *ret_limits)
{
	quota_set_defaults(t, ret_limits);
}

void engine_get_usage(const struct account *account, struct account_side *ret_usage)
{
	*ret_usage = (struct account_side){0};
	for (enum quota quota = 0; quota < QUOTA_COUNT; quota++) {
		const char *side = account->row.side;
		if (side)
			*(int64_t *) (void *) ((char *) ret_usage + quotas[quota].used) =
				__atomic_load_n((const int64_t *) (const void *) (side + quotas[quota].used),
						__ATOMIC_RELAXED);
	}
}
