/* SPDX-License-Identifier: Apache-2.0
 * Reads the names of statistics, and computes them from the samples of a period. A share of the samples is a share of their number: a
 * value at its edge counts in part. */
#include "reconcile/figures/statistic.h"

#include <stdlib.h>
#include <string.h>

#define SIGNIFICANT 10 /* samples beyond the percentile that make it significant */

/* ---- names ---- */

/* Digits with up to ten decimals. */
static bool read_number(struct str text, double *ret)
{
	char number[32] = {0};
	size_t point = str_find_char(text, '.', 0);
	if (!text.n || text.n >= sizeof number || text.p[0] == '.' || text.n - point > 11)
		return false;
	for (size_t k = 0; k < text.n; k++)
		if ((text.p[k] < '0' || text.p[k] > '9') && k != point)
			return false;
	memcpy(number, text.p, text.n);
	*ret = strtod(number, NULL);
	return true;
}

static bool read_bound(struct str text, bool *ret_has, bool *ret_is_share, double *ret)
{
	*ret_has = text.n > 0;
	*ret_is_share = str_ends_with(text, STR("%"));
	if (!text.n)
		return true;
	return read_number(*ret_is_share ? str_slice(text, 0, text.n - 1) : text, ret) &&
	       (!*ret_is_share || *ret <= 100);
}

/* "10%:90%", ":90%", "150:" */
static bool read_range(struct str text, struct statistic *s)
{
	size_t colon = str_find_char(text, ':', 0);
	bool lower_share = false, upper_share = false;
	if (colon == text.n ||
	    !read_bound(str_slice(text, 0, colon), &s->has_lower, &lower_share, &s->lower) ||
	    !read_bound(str_slice(text, colon + 1, text.n), &s->has_upper, &upper_share, &s->upper))
		return false;
	s->is_share = s->has_lower ? lower_share : upper_share;
	bool agrees = !s->has_lower || !s->has_upper || lower_share == upper_share;
	return (s->has_lower || s->has_upper) && agrees &&
	       (!s->has_lower || !s->has_upper || s->lower < s->upper);
}

static bool is_basic(struct str word)
{
	static const char *const words[] = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"};
	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (str_is(word, words[k]))
			return true;
	return false;
}

bool statistic_read(struct str word, struct statistic *ret)
{
	static const struct {
		const char *small, *large;
		enum statistic_kind kind;
	} forms[] = {{"tm", "TM(", STATISTIC_TRIMMED},
		     {"wm", "WM(", STATISTIC_WINSORIZED},
		     {"tc", "TC(", STATISTIC_COUNT},
		     {"ts", "TS(", STATISTIC_SUM},
		     {NULL, "PR(", STATISTIC_RANK}};
	struct statistic s = {.word = word};
	*ret = s;
	if (is_basic(word))
		return true;
	if (str_is(word, "IQM")) {
		*ret = (struct statistic){STATISTIC_TRIMMED, word, true, 25, 75, true, true};
		return true;
	}
	s.is_share = s.has_upper = true;
	if (str_starts_with(word, STR("p"))) {
		s.kind = STATISTIC_PERCENTILE;
		*ret = s;
		return read_number(str_slice(word, 1, word.n), &ret->upper) && ret->upper <= 100;
	}
	for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
		s.kind = forms[k].kind;
		if (forms[k].small && str_starts_with(word, str_from(forms[k].small))) {
			*ret = s;
			return read_number(str_slice(word, 2, word.n), &ret->upper) && ret->upper <= 100;
		}
		if (str_starts_with(word, str_from(forms[k].large)) && str_ends_with(word, STR(")"))) {
			*ret = (struct statistic){.kind = s.kind, .word = word};
			return read_range(str_slice(word, 3, word.n - 1), ret) &&
			       (s.kind != STATISTIC_RANK || !ret->is_share);
		}
	}
	return false;
}

double statistic_needed_samples(const struct statistic *s)
{
	double share = s->upper / 100;
	if (s->kind != STATISTIC_PERCENTILE || share <= 0 || share >= 1)
		return 0;
	return SIGNIFICANT / (share >= 0.5 ? 1 - share : share);
}

/* ---- values ---- */

/* The samples of a point; a point without a list has one value, if it is known. */
struct samples {
	const struct metric_sample *at;
	size_t count;
	double total;
};

/* The smallest value that so many samples do not exceed. Unverified: CloudWatch documents no interpolation. */
static double value_at(const struct samples *samples, double rank)
{
	double passed = 0;
	for (size_t k = 0; k < samples->count; k++) {
		passed += samples->at[k].count;
		if (passed >= rank * (1 - 1e-12))
			return samples->at[k].value;
	}
	return samples->at[samples->count - 1].value;
}

/* Number of the value's samples that are within the bounds; passed: samples below the value. */
static double count_within(const struct statistic *s, const struct samples *samples,
			   const struct metric_sample *v, double passed)
{
	if (!s->is_share)
		return (s->has_lower && v->value <= s->lower) || (s->has_upper && v->value > s->upper)
			       ? 0
			       : v->count;
	double from = s->has_lower ? samples->total * s->lower / 100 : 0;
	double to = s->has_upper ? samples->total * s->upper / 100 : samples->total;
	double first = passed > from ? passed : from, last = passed + v->count < to ? passed + v->count : to;
	return last > first ? last - first : 0;
}

static double winsorized(const struct statistic *s, const struct samples *samples)
{
	double lower = s->lower, upper = s->upper, sum = 0;
	if (s->is_share && s->has_lower)
		lower = value_at(samples, samples->total * s->lower / 100);
	if (s->is_share && s->has_upper)
		upper = value_at(samples, samples->total * s->upper / 100);
	for (size_t k = 0; k < samples->count; k++) {
		double value = samples->at[k].value;
		value = s->has_lower && value < lower ? lower : value;
		value = s->has_upper && value > upper ? upper : value;
		sum += value * samples->at[k].count;
	}
	return sum / samples->total;
}

/* False: no sample is within the bounds, so that there is no mean. */
static bool of_range(const struct statistic *s, const struct samples *samples, double *ret)
{
	double passed = 0, count = 0, sum = 0;
	for (size_t k = 0; k < samples->count; k++) {
		double within = count_within(s, samples, &samples->at[k], passed);
		passed += samples->at[k].count;
		count += within;
		sum += within * samples->at[k].value;
	}
	*ret = s->kind == STATISTIC_COUNT  ? count
	       : s->kind == STATISTIC_SUM  ? sum
	       : s->kind == STATISTIC_RANK ? 100 * count / samples->total
					   : sum / count;
	return s->kind != STATISTIC_TRIMMED || count > 0;
}

bool statistic_value(const struct statistic *s, const struct metric_point *p, double *ret_value)
{
	const struct metric_sample one = metric_even_sample(p);
	struct samples samples = {p->values, p->value_count, p->samples};
	if (s->kind == STATISTIC_BASIC) {
		*ret_value = metric_value(p, s->word);
		return true;
	}
	if (metric_is_even(p))
		samples = (struct samples){&one, 1, p->samples};
	if (!samples.count || p->least < 0 || p->samples <= 0)
		return false;
	if (s->kind == STATISTIC_PERCENTILE) {
		*ret_value = value_at(&samples, samples.total * s->upper / 100);
		return true;
	}
	if (s->kind != STATISTIC_WINSORIZED)
		return of_range(s, &samples, ret_value);
	*ret_value = winsorized(s, &samples);
	return true;
}
