/* SPDX-License-Identifier: Apache-2.0
 * Limits per volume type: a row per account and type. The usage is counted only when an account requests more
 * of a limited type. */
#include "engine/storage/volume_type/volume_type_limit.h"

#include <inttypes.h>

#include "engine/people/account/account.h"
#include "engine/storage/volume_type/volume_type_limit_internal.h"
#include "store/volume_type.h"
#include "store/volume_type_limit.h"

#define GIBIBYTE (INT64_C(1) << 30)

static int64_t own_or(int64_t own, int64_t other)
{
	return own == ACCOUNT_LIMIT_KEEP ? other : own;
}

static void lay_over(const struct volume_type_limit *row, struct volume_type_figures *limits)
{
	if (!row)
		return;
	limits->volumes = own_or(row->limit_volumes, limits->volumes);
	limits->bytes = own_or(row->limit_volume_bytes, limits->bytes);
	limits->snapshots = own_or(row->limit_snapshots, limits->snapshots);
}

void engine_read_type_limits(const struct tables *t, uuid account, uuid type,
			     struct volume_type_figures *ret_limits)
{
	*ret_limits = (struct volume_type_figures){-1, -1, -1};
	lay_over(volume_type_limit_find_by_account(t, UUID_NONE, type), ret_limits);
	if (!uuid_is_none(account))
		lay_over(volume_type_limit_find_by_account(t, account, type), ret_limits);
}

/* ---- set ---- */

static RESULT set_one(struct op *op, uuid account, const struct volume_type_limit_wish *wish)
{
	const struct volume_type_limit *there =
		volume_type_limit_find_by_account(op->head, account, wish->type);
	struct volume_type_limit next = {.row.id = engine_new_id(op, KIND_VOLUME_TYPE_LIMIT),
					 .account = account,
					 .type = wish->type,
					 .limit_volumes = ACCOUNT_LIMIT_KEEP,
					 .limit_volume_bytes = ACCOUNT_LIMIT_KEEP,
					 .limit_snapshots = ACCOUNT_LIMIT_KEEP};
	if (!volume_type_find(op->head, wish->type))
		return engine_fail_gone(op->ctx, KIND_VOLUME_TYPE, wish->type);
	if (there)
		next = *there;
	next.limit_volumes = own_or(wish->limits.volumes, next.limit_volumes);
	next.limit_volume_bytes = own_or(wish->limits.bytes, next.limit_volume_bytes);
	next.limit_snapshots = own_or(wish->limits.snapshots, next.limit_snapshots);
	next.row.gen++;
	return volume_type_limit_put(op, &next);
}

RESULT volume_type_limits_set(struct op *op, uuid account, const struct volume_type_limit_wish *limits,
			      size_t count)
{
	for (size_t n = 0; n < count; n++)
		TRY(set_one(op, account, &limits[n]));
	return OK;
}

/* ---- check ---- */

/* false: the account has no limit for the type. */
static bool read_type(const struct op *op, uuid account, struct str name,
		      struct volume_type_figures *ret_limits, struct volume_type_figures *ret_usage)
{
	const struct volume_type *type = volume_type_find_by_name(op->head, name);
	if (!type)
		return false;
	engine_read_type_limits(op->head, account, type->row.id, ret_limits);
	if (ret_limits->volumes < 0 && ret_limits->bytes < 0 && ret_limits->snapshots < 0)
		return false;
	engine_count_type_usage(op->head, account, name, ret_usage);
	return true;
}

static bool is_over(int64_t limit, int64_t used, int64_t more)
{
	return limit >= 0 && more > 0 && used + more > limit;
}

static int64_t gib_of(int64_t bytes)
{
	return bytes / GIBIBYTE + (bytes % GIBIBYTE != 0);
}

/* In Cinder's words and order, because only Cinder knows these limits. */
RESULT volume_type_limit_check(struct op *op, uuid account, struct str type,
			       const struct volume_type_figures *more)
{
	struct volume_type_figures limits, used;
	int kind = more->snapshots ? KIND_SNAPSHOT : KIND_VOLUME;
	if (!read_type(op, account, type, &limits, &used))
		return OK;
	if (is_over(limits.bytes, used.bytes, more->bytes))
		return ctx_fail_kind(op->ctx, ERR_QUOTA, kind,
				     "Requested volume or snapshot exceeds allowed gigabytes_%" STR_FMT
				     " quota. Requested %" PRId64 "G, quota is %" PRId64 "G and %" PRId64
				     "G has been consumed.",
				     STR_ARG(type), gib_of(more->bytes), limits.bytes / GIBIBYTE,
				     gib_of(used.bytes));
	if (is_over(limits.snapshots, used.snapshots, more->snapshots))
		return ctx_fail_kind(op->ctx, ERR_QUOTA, kind,
				     "Maximum number of snapshots allowed (%" PRId64 ") exceeded",
				     limits.snapshots);
	if (is_over(limits.volumes, used.volumes, more->volumes))
		return ctx_fail_kind(op->ctx, ERR_QUOTA, kind,
				     "Maximum number of volumes allowed (%" PRId64
				     ") exceeded for quota 'volumes_%" STR_FMT "'.",
				     limits.volumes, STR_ARG(type));
	return OK;
}

static int64_t left_of(int64_t limit, int64_t used, int64_t each)
{
	if (limit < 0 || each <= 0)
		return INT64_MAX;
	return limit > used ? (limit - used) / each : 0;
}

int64_t volume_type_limit_left(const struct op *op, uuid account, struct str type,
			       const struct volume_type_figures *each)
{
	struct volume_type_figures limits, used;
	if (!read_type(op, account, type, &limits, &used))
		return INT64_MAX;
	int64_t volumes = left_of(limits.volumes, used.volumes, each->volumes);
	int64_t bytes = left_of(limits.bytes, used.bytes, each->bytes);
	return volumes < bytes ? volumes : bytes;
}
