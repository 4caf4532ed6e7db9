/* SPDX-License-Identifier: Apache-2.0
 * Compares two processors in a single pass, since their features are sorted. */
#include "model/processor.h"

#include <stdlib.h>

enum { LACKS_SHOWN = 8 };

bool processor_is_named(struct str word)
{
	return word.n && !str_is(word, PROCESSOR_OF_HOST);
}

/* ---- reading ---- */

struct processor_walk processor_begin(struct str cpu)
{
	struct processor_walk walk = {.rest = cpu};
	struct str word;
	(void) str_split_next(&walk.rest, ' ', &word);
	(void) str_split_next(&walk.rest, ' ', &word);
	return walk;
}

bool processor_next(struct processor_walk *walk, struct str *ret_name, bool *ret_is_there)
{
	struct str word;
	if (!str_split_next(&walk->rest, ' ', &word))
		return false;
	*ret_is_there = !str_starts_with(word, STR("-"));
	*ret_name = *ret_is_there ? word : str_slice(word, 1, word.n);
	return true;
}

static struct str find_word(struct str cpu, int n)
{
	struct str word = STR_NONE;
	for (int k = 0; k <= n; k++)
		if (!str_split_next(&cpu, ' ', &word))
			return STR_NONE;
	return word;
}

struct str processor_model(struct str cpu)
{
	return find_word(cpu, 0);
}

struct str processor_vendor(struct str cpu)
{
	return find_word(cpu, 1);
}

/* ---- writing ---- */

static struct str name_in(struct str feature)
{
	return str_starts_with(feature, STR("-")) ? str_slice(feature, 1, feature.n) : feature;
}

static int compare_names(const void *a, const void *b)
{
	return str_compare(name_in(*(const struct str *) a), name_in(*(const struct str *) b));
}

struct str processor_write(struct arena *a, struct str model, struct str vendor, struct strs features)
{
	size_t count = 4 + 2 * features.count, n = 0;
	struct str *sorted = arena_new_array(a, struct str, features.count + 1);
	struct str *parts = arena_new_array(a, struct str, count);
	if (!sorted || !parts)
		return STR_NONE;
	for (size_t k = 0; k < features.count; k++)
		sorted[k] = features.at[k];
	qsort(sorted, features.count, sizeof *sorted, compare_names);
	parts[n++] = model;
	parts[n++] = STR(" ");
	parts[n++] = vendor.n ? vendor : STR("-");
	for (size_t k = 0; k < features.count; k++) {
		parts[n++] = STR(" ");
		parts[n++] = sorted[k];
	}
	return str_join(a, parts, n);
}

/* ---- comparing ---- */

/* Advances the walk to the name; it has already passed all smaller ones. */
static bool has(struct processor_walk *walk, struct str name)
{
	struct processor_walk ahead = *walk;
	struct str at;
	bool is_there;
	while (processor_next(&ahead, &at, &is_there)) {
		int order = str_compare(at, name);
		if (order > 0)
			return false;
		*walk = ahead;
		if (order == 0)
			return is_there;
	}
	return false;
}

static bool has_same_vendor(struct str a, struct str b)
{
	struct str mine = processor_vendor(a), other = processor_vendor(b);
	return str_is(mine, "-") || str_is(other, "-") || str_equal(mine, other);
}

bool processor_covers(struct str host, struct str guest)
{
	struct processor_walk of_host = processor_begin(host), of_guest = processor_begin(guest);
	struct str name;
	bool is_there;
	if (str_equal(host, guest))
		return true;
	if (!has_same_vendor(host, guest))
		return false;
	while (processor_next(&of_guest, &name, &is_there))
		if (is_there && !has(&of_host, name))
			return false;
	return true;
}

struct str processor_find_lacks(struct arena *a, struct str host, struct str guest)
{
	struct processor_walk of_host = processor_begin(host), of_guest = processor_begin(guest);
	struct str list = STR_NONE, name;
	size_t count = 0;
	bool is_there;
	if (!has_same_vendor(host, guest))
		return str_print(a, "the vendor %" STR_FMT, STR_ARG(processor_vendor(guest)));
	while (processor_next(&of_guest, &name, &is_there))
		if (is_there && !has(&of_host, name) && ++count <= LACKS_SHOWN)
			list = str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(list), list.n ? ", " : "",
					 STR_ARG(name));
	if (count > LACKS_SHOWN)
		list = str_print(a, "%" STR_FMT " and %zu more", STR_ARG(list), count - LACKS_SHOWN);
	return list;
}

struct str processor_limit(struct arena *a, struct str cpu, struct str other)
{
	struct processor_walk mine = processor_begin(cpu), of_other = processor_begin(other);
	struct str *features = arena_new_array(a, struct str, cpu.n + 1); /* at least as many as it has */
	struct str name;
	size_t count = 0;
	bool is_there;
	if (!features)
		return STR_NONE;
	while (processor_next(&mine, &name, &is_there)) {
		bool stays = is_there && has(&of_other, name);
		features[count] = stays ? name : str_print(a, "-%" STR_FMT, STR_ARG(name));
		if (!features[count++].n)
			return STR_NONE;
	}
	return processor_write(a, processor_model(cpu), processor_vendor(cpu),
			       (struct strs){features, count});
}
