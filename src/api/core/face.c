/* SPDX-License-Identifier: Apache-2.0
 * Creates faces and finds their actions by name.
 */
#include "api/core/face.h"

#include <assert.h>
#include <stdlib.h>

#include "api/core/dispatch.h"
#include "auth/sign_in/password.h"
#include "base/heap.h"

/* ---- actions by their names ---- */

struct api_entry api_entry_of(const struct api_action *action)
{
	return (struct api_entry){action, audited_find_recorded(action->permit)};
}

static int compare_entries(const void *a, const void *b)
{
	const struct api_entry *x = a, *y = b;
	return strcmp(x->action->name, y->action->name);
}

static int compare_entries_nocase(const void *a, const void *b)
{
	const struct api_entry *x = a, *y = b;
	return str_compare_nocase(str_from(x->action->name), str_from(y->action->name));
}

void api_sum_actions(const struct api_groups *groups, struct api_entries *ret_entries)
{
	struct api_entries *all = ret_entries;
	int (*compare)(const void *, const void *) =
		groups->ignores_case ? compare_entries_nocase : compare_entries;
	all->count = 0;
	all->ignores_case = groups->ignores_case;
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count; k++) {
			assert(all->count < API_ACTIONS_MAX);
			all->at[all->count++] = api_entry_of(api_action_at(groups->at[g], k));
		}
	qsort(all->at, all->count, sizeof all->at[0], compare);
	for (size_t k = 1; k < all->count; k++)
		assert(compare(&all->at[k - 1], &all->at[k]) != 0);
}

const struct api_entry *api_find_action(const struct api_entries *entries, struct str name)
{
	size_t low = 0, high = entries->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		struct str at = str_from(entries->at[middle].action->name);
		int order = entries->ignores_case ? str_compare_nocase(name, at) : str_compare(name, at);
		if (order == 0)
			return &entries->at[middle];
		*(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
	}
	return NULL;
}

/* ---- life ---- */

RESULT api_face_new(struct ctx *c, const struct api_protocol *protocol, const struct api_config *config,
		    struct api_face **ret_face)
{
	struct api_face *face = heap_alloc(protocol->face_size ? protocol->face_size : sizeof *face);
	if (!face)
		return ctx_no_memory(c);
	face->protocol = protocol;
	face->config = *config;
	face->lane = config->passwords ? passwords_lane(config->passwords) : NULL;
	face->cache = protocol->digest ? response_cache_new(RESPONSE_SIZE_MIN) : NULL;
	face->region = heap_copy_z(str_to_z(c->arena, config->region));
	face->endpoint = heap_copy_z(str_to_z(c->arena, config->endpoint));
	face->config.region = str_from(face->region);
	face->config.endpoint = str_from(face->endpoint);
	bool is_whole = face->region && face->endpoint && (face->cache || !protocol->digest);
	if (!is_whole || (protocol->open && !protocol->open(face))) {
		api_face_free(face);
		return ctx_no_memory(c);
	}
	if (protocol->groups)
		api_sum_actions(protocol->groups, &face->entries);
	*ret_face = face;
	return OK;
}

void api_face_free(struct api_face *face)
{
	if (!face)
		return;
	if (face->protocol->close)
		face->protocol->close(face);
	response_cache_free(face->cache);
	heap_free(face->region);
	heap_free(face->endpoint);
	heap_free(face);
}

/* ---- documentation ---- */

static void write_refused(struct buf *out, const struct params *args)
{
	const char *before = "";
	for (size_t n = 0; n < args->count; n++) {
		const struct param *p = &args->at[n];
		struct str rest = p->type == PARAM_NOT_BUILT ? str_from(p->wire) : STR_NONE, name;
		for (; str_split_next(&rest, '|', &name); before = ", ") {
			buf_print(out, "%s`%" STR_FMT "`", before, STR_ARG(name));
			if (param_only(p))
				buf_print(out, " (but `%s`)", param_only(p));
		}
	}
}

void api_write_coverage(struct buf *out, const struct api_groups *groups)
{
	buf_add_str(out, STR("| action | what it does | refused parameters |\n| --- | --- | --- |\n"));
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count; k++) {
			const struct api_action *a = api_action_at(groups->at[g], k);
			buf_print(out, "| %s | %s | ", a->name, a->doc);
			write_refused(out, &a->args);
			buf_add_str(out, STR(" |\n"));
		}
}
