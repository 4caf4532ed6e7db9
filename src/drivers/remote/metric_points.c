/* SPDX-License-Identifier: Apache-2.0
 * Places measurements into the points of a query: see metric_points.h. */
#include "drivers/remote/metric_points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* NUMBER_LIMIT exceeds the bytes of any link or disk in five minutes, and fits into 64 bits. */
#define NUMBER_LIMIT 1e15
enum { TEXT_MAX = 40 };

struct remote_metric_point *remote_metric_at(struct remote_metric_point *points,
					     const struct remote_metrics_query *query, size_t machine,
					     int64_t at_us)
{
	int64_t end_us = query->from_us + REMOTE_METRIC_POINTS * REMOTE_METRIC_STEP_US;
	if (machine >= query->count || at_us < query->from_us || at_us >= end_us)
		return NULL;
	return &points[machine * REMOTE_METRIC_POINTS +
		       (size_t) ((at_us - query->from_us) / REMOTE_METRIC_STEP_US)];
}

double *remote_metric_member(struct remote_metric_point *p, size_t offset)
{
	return (double *) (void *) ((char *) p + offset);
}

size_t remote_metric_machine(const struct remote_metrics_query *query, struct str ref)
{
	size_t machine = 0;
	while (machine < query->count && !str_equal(query->refs[machine], ref))
		machine++;
	return machine;
}

static bool is_usable(double number)
{
	return isfinite(number) && number >= 0 && number <= NUMBER_LIMIT;
}

bool remote_metric_number(const json_t *value, double *ret_number)
{
	*ret_number = json_number_value(value);
	return json_is_number(value) && is_usable(*ret_number);
}

bool remote_metric_percent(struct str text, double *ret_percent)
{
	char copy[TEXT_MAX + 1];
	char *end = NULL;
	if (str_ends_with(text, STR("%")))
		text = str_slice(text, 0, text.n - 1);
	if (!text.n || text.n > TEXT_MAX)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	char *comma = strchr(copy, ',');
	if (comma)
		*comma = '.';
	*ret_percent = strtod(copy, &end);
	return !*end && is_usable(*ret_percent);
}

static double convert(double value, double whole, bool is_percent)
{
	if (value <= 0)
		return 0;
	double used = is_percent ? whole * value / 100 : whole - value;
	return used < 0 ? 0 : used < whole ? used : whole;
}

void remote_metric_convert_memory(struct remote_metric_point *points,
				  const struct remote_metrics_query *query, bool is_percent)
{
	for (size_t k = 0; k < query->count * REMOTE_METRIC_POINTS; k++) {
		int64_t whole = query->memory ? query->memory[k / REMOTE_METRIC_POINTS] : 0;
		points[k].memory = whole > 0 ? convert(points[k].memory, (double) whole, is_percent) : 0;
	}
}
