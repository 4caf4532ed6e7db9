/* SPDX-License-Identifier: Apache-2.0
 * Limits of domains: a row per domain that has some. Source: CloudStack's ResourceLimitManagerImpl. */
#include "engine/people/account/domain_limit_internal.h"

#include <inttypes.h>

#include "engine/internal.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/domain_limit.h"

static const struct domain_quota {
	size_t limit, wish, used; /* offsets in struct domain_limit, domain_limits and domain_usage */
} quotas[QUOTA_COUNT] = {
#define DOMAINS(ID, figure)                                                                                  \
	[QUOTA_##ID] = {offsetof(struct domain_limit, limit_##figure),                                       \
			offsetof(struct domain_limits, figure), offsetof(struct domain_usage, figure)},
	DOMAINS(INSTANCES, instances) DOMAINS(VCPUS, vcpus) DOMAINS(MEMORY, memory) DOMAINS(VOLUMES, volumes)
		DOMAINS(VOLUME_BYTES, volume_bytes) DOMAINS(SNAPSHOTS, snapshots) DOMAINS(IMAGES, images)
			DOMAINS(ADDRESSES, addresses) DOMAINS(ROUTERS, routers) DOMAINS(NETWORKS, networks)
#undef DOMAINS
};

static int64_t *at(void *base, size_t offset)
{
	return (int64_t *) (void *) ((char *) base + offset);
}

void engine_read_domain_limits(const struct domain_limit *row, struct domain_limits *ret_limits)
{
	struct domain_limit limits = row ? *row : (struct domain_limit){0};
	*ret_limits = domain_limits_all((struct ref){.kind = KIND_NONE}, -1);
	for (enum quota quota = 0; row && quota < QUOTA_COUNT; quota++)
		if (quotas[quota].limit)
			*at(ret_limits, quotas[quota].wish) = *at(&limits, quotas[quota].limit);
}

RESULT engine_set_domain_limits(struct op *op, struct domain_limits *wish)
{
	const struct row *row = NULL;
	TRY(engine_find(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &row));
	TRY(engine_permit(op, "account.limit", KIND_DOMAIN, row));
	if (!identity_is_admin(op->ctx->who))
		return ENGINE_FAIL(op, ERR_DENIED, KIND_DOMAIN, wish->domain.field,
				   "Only an administrator of the region limits a domain.");
	if (uuid_equal(row->id, DOMAIN_DEFAULT))
		return ENGINE_FAIL(op, ERR_DENIED, KIND_DOMAIN, wish->domain.field,
				   "Cannot update resource limit for ROOT domain, permission denied");
	const struct domain_limit *there = domain_limit_find_by_domain(op->head, row->id);
	struct domain_limit next = {.row.id = engine_new_id(op, KIND_DOMAIN_LIMIT), .domain = row->id};
	if (there)
		next = *there;
	for (enum quota quota = 0; quota < QUOTA_COUNT; quota++) {
		if (!quotas[quota].limit)
			continue;
		int64_t wanted = *at(wish, quotas[quota].wish);
		int64_t before = there ? *at(&next, quotas[quota].limit) : -1;
		*at(&next, quotas[quota].limit) = wanted == ACCOUNT_LIMIT_KEEP ? before : wanted;
	}
	next.row.gen++;
	wish->limit = next.row.id;
	TRY(domain_limit_put(op, &next));
	return engine_log_event(op, KIND_DOMAIN, row, "limits changed", "The limits of domain %" STR_FMT ".",
				STR_ARG(domain_of(row)->name));
}

/* Use of the domain and of all domains below it. The tree is at most DOMAIN_DEPTH_MAX deep. */
static int64_t sum_used(const struct tables *t, const struct domain *domain, enum quota quota)
{
	struct domain_usage *usage = domain_usage(domain);
	int64_t used = usage ? *at(usage, quotas[quota].used) : 0;
	if (usage && quota == QUOTA_VOLUME_BYTES)
		used += usage->snapshot_bytes;
	const struct domain *below = domain_first_by_parent(t, domain->row.id);
	for (; below; below = domain_next_by_parent(t, below))
		used += sum_used(t, below, quota);
	return used;
}

/* False: no limit. */
static bool read_quota(const struct tables *t, const struct domain *domain, enum quota quota,
		       int64_t *ret_limit, int64_t *ret_used)
{
	const struct domain_limit *row = domain_limit_find_by_domain(t, domain->row.id);
	if (!row || !quotas[quota].limit)
		return false;
	struct domain_limit limits = *row;
	*ret_limit = *at(&limits, quotas[quota].limit);
	*ret_used = *ret_limit >= 0 ? sum_used(t, domain, quota) : 0;
	return *ret_limit >= 0;
}

RESULT domain_limit_check(struct op *op, const struct account *account, enum quota quota, enum kind kind,
			  const char *words, int64_t more)
{
	int64_t limit = 0, used = 0;
	const struct domain *domain = domain_find(op->head, account->domain);
	while (domain &&
	       (!read_quota(op->head, domain, quota, &limit, &used) || more <= 0 || used + more <= limit))
		domain = domain_find(op->head, domain->parent);
	if (!domain)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_QUOTA, (int) kind,
			     "The domain of the account has %" PRId64 " of %" PRId64 " %s; %" PRId64
			     " more would exceed its limit",
			     used, limit, words, more);
}

int64_t domain_limit_left(const struct tables *t, const struct account *account, enum quota quota)
{
	int64_t limit = 0, used = 0, left = INT64_MAX;
	const struct domain *domain = domain_find(t, account->domain);
	for (; domain; domain = domain_find(t, domain->parent)) {
		if (!read_quota(t, domain, quota, &limit, &used))
			continue;
		int64_t here = limit > used ? limit - used : 0;
		left = here < left ? here : left;
	}
	return left;
}
