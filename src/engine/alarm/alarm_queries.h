/* SPDX-License-Identifier: Apache-2.0
 * The queries of an alarm on metric math: metrics and expressions, as alarm.queries has them. Pure. */
#pragma once

#include "base/ctx.h"

struct alarm_query {
	struct str id, label, expression; /* expression empty: a metric */
	struct str name_space, name, stat, unit;
	struct strs dimensions; /* of each two: name and value, in order of names */
	int64_t period_s;
	bool returns; /* its result is compared with the threshold */
	double *at;   /* its values, the oldest first; NaN: missing */
	bool is_done;
};
struct alarm_queries {
	struct alarm_query *at;
	size_t count;
};

enum { ALARM_QUERIES_TEXT_MAX = 16384 };
/* Writes queries as the row keeps them, in the arena; STR_NONE: out of memory. */
struct str alarm_queries_write(struct arena *a, const struct alarm_queries *queries);
/* Reads what alarm_queries_write() wrote. ERR_INTERNAL: something else. */
RESULT alarm_queries_read(struct ctx *c, struct str text, struct alarm_queries *ret_queries);
/* Evaluates all expressions; metrics have their values already. An expression may use others. ERR_INVALID: one cannot be
 * evaluated. */
RESULT alarm_queries_evaluate(struct ctx *c, struct alarm_queries *queries, size_t count, double period_s);
/* Says in CloudWatch's words, or near them, why ids or results of queries are not valid; NULL: they are. */
const char *alarm_queries_find_fault(const struct alarm_queries *queries);
/* The query that returns the result; NULL: not exactly one does. */
struct alarm_query *alarm_queries_result(const struct alarm_queries *queries);
