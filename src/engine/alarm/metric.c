/* SPDX-License-Identifier: Apache-2.0
 * Registers the metrics that accounts publish. reconcile/figures/metrics.c keeps their datapoints. Called by:
 * api/cloudwatch. */
#include "base/buf.h"
#include "base/crypto.h"
#include "engine/acting.h"
#include "engine/alarm/alarm_internal.h"
#include "engine/limits.h"

#define DAY (24 * HOUR)

/* Lengths stand before the texts, so that no two names have one digest by moving a character. */
static void add_part(struct buf *out, struct str part)
{
	buf_print(out, "%zu:%" STR_FMT, part.n, STR_ARG(part));
}

void engine_write_metric_key(struct str name_space, struct str name, const struct strs *dimensions,
			     char out[METRIC_KEY_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_SIZE];
	struct buf text;
	buf_init(&text, 1 << 20);
	add_part(&text, name_space);
	add_part(&text, name);
	for (size_t k = 0; k < dimensions->count; k++)
		add_part(&text, dimensions->at[k]);
	crypto_sha256(buf_str(&text), digest);
	buf_done(&text);
	for (size_t k = 0; k < SHA256_SIZE; k++) {
		out[2 * k] = digits[digest[k] >> 4];
		out[2 * k + 1] = digits[digest[k] & 15];
	}
	out[2 * SHA256_SIZE] = 0;
}

const struct metric *engine_find_metric(const struct tables *t, uuid account, struct str name_space,
					struct str name, const struct strs *dimensions, struct str unit)
{
	char key[METRIC_KEY_SIZE];
	engine_write_metric_key(name_space, name, dimensions, key);
	return metric_find_by_account(t, account, str_from(key), unit);
}

const struct metric *engine_first_metric(const struct tables *t, uuid account, struct str name_space,
					 struct str name, const struct strs *dimensions)
{
	char key[METRIC_KEY_SIZE];
	engine_write_metric_key(name_space, name, dimensions, key);
	const struct metric probe = {.account = account, .key = str_from(key)};
	return metric_of(tables_first(t, KIND_METRIC, METRIC_INDEX_ACCOUNT, &probe.row, 2));
}

const struct metric *engine_next_metric(const struct tables *t, const struct metric *metric)
{
	return metric_of(tables_next(t, KIND_METRIC, METRIC_INDEX_ACCOUNT, &metric->row, 2));
}

bool engine_is_metric_old(const struct metric *metric, int64_t now_us)
{
	return metric->day + METRIC_KEPT_DAYS < now_us / DAY;
}

RESULT alarm_put_metric(struct op *op, uuid account, struct metric_name *name, bool is_limited)
{
	char key[METRIC_KEY_SIZE];
	engine_write_metric_key(name->name_space, name->name, &name->dimensions, key);
	const struct metric *present = metric_find_by_account(op->head, account, str_from(key), name->unit);
	struct metric next = {.account = account,
			      .key = str_from(key),
			      .name_space = name->name_space,
			      .name = name->name,
			      .dimensions = name->dimensions,
			      .unit = name->unit};
	if (present)
		next = *present;
	else if (is_limited)
		TRY(limit_check(op, LIMIT_METRICS, account, 1, STR_NONE));
	if (!present)
		next.row = (struct row){.id = engine_new_id(op, KIND_METRIC), .gen = 1};
	name->metric = next.row.id;
	if (present && present->day == op->now_us / DAY)
		return OK;
	next.day = op->now_us / DAY;
	return metric_put(op, &next);
}

RESULT engine_put_metrics(struct op *op, struct metrics_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "metric.put", KIND_NONE, NULL));
	uuid id = account;
	for (size_t k = 0; k < wish->count; k++)
		TRY(alarm_put_metric(op, id, &wish->at[k], true));
	return OK;
}

RESULT engine_expire_metric(struct op *op, struct metric_target *wish)
{
	const struct metric *metric = metric_find(op->head, wish->metric);
	return metric && engine_is_metric_old(metric, op->now_us) ? metric_forget(op, metric->row.id) : OK;
}

/* ---- Gnocchi's ---- */

RESULT engine_create_gnocchi_metric(struct op *op, struct gnocchi_metric_wish *wish)
{
	char key[METRIC_KEY_SIZE];
	struct metric next = {.row = {.id = engine_new_id(op, KIND_METRIC), .gen = 1}};
	struct str id = uuid_to_str(op->ctx->arena, next.row.id);
	TRY(engine_find_acting_id(op, &next.account));
	TRY(engine_permit(op, "metric.put", KIND_NONE, NULL));
	TRY(limit_check(op, LIMIT_METRICS, next.account, 1, STR_NONE));
	/* Names are unique within a resource alone, so a metric without one has its id for a dimension. */
	const struct str dimensions[] = {wish->resource.n ? STR("resource_id") : STR("metric_id"),
					 wish->resource.n ? wish->resource : id};
	next.dimensions = (struct strs){dimensions, 2};
	next.name_space = STR("Gnocchi");
	next.name = wish->name.n ? wish->name : id;
	next.unit = wish->unit;
	next.archive_policy = wish->archive_policy;
	next.made_by = op->ctx->who ? op->ctx->who->user : UUID_NONE;
	next.day = op->now_us / DAY;
	engine_write_metric_key(next.name_space, next.name, &next.dimensions, key);
	next.key = str_from(key);
	if (engine_first_metric(op->head, next.account, next.name_space, next.name, &next.dimensions))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_METRIC, STR("name"),
				   "Named metric %" STR_FMT " already exists", STR_ARG(next.name));
	wish->metric = next.row.id;
	return metric_put(op, &next);
}

static RESULT find_own(struct op *op, uuid id, const struct metric **ret_metric)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "metric.put", KIND_NONE, NULL));
	*ret_metric = metric_find(op->head, id);
	return *ret_metric && uuid_equal((*ret_metric)->account, account)
		       ? OK
		       : engine_fail_gone(op->ctx, KIND_METRIC, id);
}

RESULT engine_delete_gnocchi_metric(struct op *op, struct gnocchi_metric_wish *wish)
{
	const struct metric *metric = NULL;
	TRY(find_own(op, wish->metric, &metric));
	return metric_forget(op, metric->row.id);
}

RESULT engine_touch_gnocchi_metrics(struct op *op, struct gnocchi_metrics_target *wish)
{
	for (size_t k = 0; k < wish->metrics.count; k++) {
		const struct metric *metric = NULL;
		TRY(find_own(op, wish->metrics.at[k], &metric));
		struct metric next = *metric;
		if (next.day == op->now_us / DAY)
			continue;
		next.day = op->now_us / DAY;
		TRY(metric_put(op, &next));
	}
	return OK;
}
