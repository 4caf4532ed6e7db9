/* SPDX-License-Identifier: Apache-2.0
 * Quotas: compares limits in the account's row with its usage. A limit below zero means unlimited. */
#include "engine/quota.h"

#include <inttypes.h>

#include "engine/internal.h"
#include "engine/people/account/domain_limit_internal.h"
#include "engine/quota_internal.h"
#include "engine/region/region.h"
#include "store/account.h"

struct quota_info {
	size_t limit, used; /* offsets in struct account and struct account_side */
	enum kind kind;     /* kind of the problem */
	const char *words;
	struct str setting; /* default for new accounts */
	int64_t standard;   /* used without such a setting */
	const char *source; /* source of that number */
};

#define QUOTA(ID, figure, KIND, words, standard, source)                                                     \
	[QUOTA_##ID] = {offsetof(struct account, limit_##figure),                                            \
			offsetof(struct account_usage, figure),                                              \
			KIND_##KIND,                                                                         \
			words,                                                                               \
			{"limit." #figure, sizeof "limit." #figure - 1},                                     \
			standard,                                                                            \
			source},
#define EACH(ID, figure, KIND, words, standard, source)                                                      \
	[QUOTA_##ID] = {offsetof(struct account, limit_##figure),        0,        KIND_##KIND, words,       \
			{"limit." #figure, sizeof "limit." #figure - 1}, standard, source},
#define KEPT(ID, figure, standard, why) EACH (ID, figure, NONE, #figure, standard, why)
static const struct quota_info quotas[QUOTA_COUNT] = {
#include "engine/limits.def"
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
	const char *usage = row_figures(&account->row);
	if (!usage)
		return 0;
	int64_t used = *(const int64_t *) (const void *) (usage + quotas[quota].used);
	return quota == QUOTA_VOLUME_BYTES ? used + account_usage(account)->snapshot_bytes : used;
}

RESULT quota_check_disk(struct op *op, uuid account, int64_t more, enum kind kind)
{
	struct result result = quota_check(op, account, QUOTA_DISK_BYTES, more);
	if (result.code == ERR_QUOTA)
		op->ctx->problem.kind = (int) kind;
	return result;
}

struct disk_payer engine_pay_disk(const struct tables *t, uuid account, enum kind kind)
{
	const struct account *row = account_find(t, account);
	if (!row || row->limit_disk_bytes < 0)
		return (struct disk_payer){0};
	int64_t left = row->limit_disk_bytes;
	if (row_figures(&row->row))
		left -= __atomic_load_n(&account_usage(row)->disk_bytes, __ATOMIC_RELAXED);
	return (struct disk_payer){.account = account, .left_size = left, .kind = (int) kind};
}

RESULT quota_check(struct op *op, uuid account, enum quota quota, int64_t more)
{
	const struct account *row = account_find(op->head, account);
	if (!row)
		return OK; /* owned by the operator: unlimited */
	int64_t limit = read_limit(row, quota), used = read_used(row, quota);
	if (limit < 0 || used + more <= limit)
		return domain_limit_check(op, row, quota, quotas[quota].kind, quotas[quota].words, more);
	struct result failed = ctx_fail_kind(op->ctx, ERR_QUOTA, (int) quotas[quota].kind,
					     "The account has %" PRId64 " of %" PRId64 " %s; %" PRId64
					     " more would exceed its limit",
					     used, limit, quotas[quota].words, more);
	/* These quotas share a kind with vCPUs, volumes or backups, whose messages in the faces do not fit
	 * them. */
	if (quota != QUOTA_MEMORY && quota != QUOTA_VOLUME_BYTES && quota != QUOTA_BACKUP_BYTES &&
	    quota != QUOTA_DISK_BYTES)
		op->ctx->problem.subject = str_print(op->ctx->arena, "%" PRId64, limit);
	op->ctx->problem.total = used + more;
	return failed;
}

RESULT quota_check_each(struct op *op, uuid account, enum quota quota, int64_t size)
{
	const struct account *row = account_find(op->head, account);
	int64_t limit = row ? read_limit(row, quota) : -1;
	if (limit < 0 || size <= limit)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_QUOTA, (int) quotas[quota].kind,
			     "%" PRId64 " %s would exceed the account's limit of %" PRId64, size,
			     quotas[quota].words, limit);
}

int64_t quota_left(const struct tables *t, uuid account, enum quota quota, int64_t each)
{
	const struct account *row = account_find(t, account);
	int64_t limit = row ? read_limit(row, quota) : -1;
	int64_t left = row ? domain_limit_left(t, row, quota) : INT64_MAX;
	if (limit >= 0 && left > limit - read_used(row, quota))
		left = limit - read_used(row, quota);
	if (left == INT64_MAX || each <= 0)
		return INT64_MAX;
	return left > 0 ? left / each : 0;
}

void quota_set_defaults(const struct tables *t, struct account *account)
{
	for (enum quota quota = 0; quota < QUOTA_COUNT; quota++) {
		int64_t limit = quotas[quota].standard;
		/* Absent or not a number: our default. */
		IGNORE(str_parse_int(engine_get_setting(t, quotas[quota].setting), &limit));
		*quota_limit(account, quota) = limit;
	}
}

void engine_get_default_limits(const struct tables *t, struct account *ret_limits)
{
	quota_set_defaults(t, ret_limits);
}

void engine_get_usage(const struct account *account, struct account_usage *ret_usage)
{
	*ret_usage = (struct account_usage){0};
	for (enum quota quota = 0; quota < QUOTA_COUNTED; quota++) {
		const char *usage = row_figures(&account->row);
		if (usage)
			*(int64_t *) (void *) ((char *) ret_usage + quotas[quota].used) =
				__atomic_load_n((const int64_t *) (const void *) (usage + quotas[quota].used),
						__ATOMIC_RELAXED);
	}
	if (row_figures(&account->row))
		ret_usage->volume_bytes +=
			__atomic_load_n(&account_usage(account)->snapshot_bytes, __ATOMIC_RELAXED);
}
