/* SPDX-License-Identifier: Apache-2.0
 * Finds the action of a request by path and method.
 */
#include "api/core/path.h"
#include "api/native/action.h"
#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

static const struct api_actions *const groups[] = {
#define GROUP(name) &native_##name##_actions,
#include "api/native/action_groups.def"
#undef GROUP
};

static const struct native_action *action_of(const struct native_route *r)
{
	return native_row_of(r->entry.action);
}

static int compare_routes(const void *a, const void *b)
{
	const struct native_route *x = a, *y = b;
	if (x->segment_count != y->segment_count)
		return x->segment_count < y->segment_count ? -1 : 1;
	int order = path_compare_forms(action_of(x)->path, action_of(y)->path);
	return order ? order : (int) action_of(x)->method - (int) action_of(y)->method;
}

static void add_route(struct native_face *face, const struct native_action *action)
{
	assert(face->route_count < NATIVE_ROUTES_MAX);
	face->routes[face->route_count++] = (struct native_route){path_count_segments(str_from(action->path)),
								  api_entry_of(&action->core)};
}

/* Adds the bulk form: "/instances/{id}/stop" becomes POST "/instances/stop", and DELETE
 * "/instances/{id}" becomes POST "/instances/delete". */
static void add_many(struct native_face *face, const struct native_action *action)
{
	const char *id = strstr(action->path, "/{id}");
	assert(id && face->read_count < NATIVE_READS_MAX);
	char *path = face->paths[face->read_count];
	const char *verb = id[strlen("/{id}")] ? id + strlen("/{id}") : "/delete";
	int n = snprintf(path, sizeof face->paths[0], "%.*s%s", (int) (id - action->path), action->path,
			 verb);
	assert(n > 0 && (size_t) n < sizeof face->paths[0]);
	(void) n;
	struct native_action many = *action;
	many.path = path;
	many.method = HTTP_POST;
	many.flags = (action->flags | NATIVE_MANY) & ~(unsigned) NATIVE_BULK;
	many.status = 200;
	face->reads[face->read_count] = many;
	add_route(face, &face->reads[face->read_count++]);
}

static void add_action(struct native_face *face, const struct native_action *action)
{
	add_route(face, action);
	if (action->flags & NATIVE_BULK)
		add_many(face, action);
}

bool native_sum_routes(struct native_face *face)
{
	if (!native_make_reads(face))
		return false;
	for (size_t k = 0; k < face->read_count; k++)
		add_route(face, &face->reads[k]);
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++)
		for (size_t k = 0; k < groups[g]->count; k++)
			add_action(face, native_row_of(api_action_at(groups[g], k)));
	qsort(face->routes, face->route_count, sizeof face->routes[0], compare_routes);
	return true;
}

static struct str behind_prefix(struct str path)
{
	return str_slice(path, strlen(NATIVE_PREFIX), path.n);
}

const struct native_route *native_find_route(struct native_call *e, bool *ret_has_path)
{
	const struct native_face *face = native_face_of(e);
	struct path_parts path;
	enum http_method method = e->call->method == HTTP_HEAD ? HTTP_GET : e->call->method;
	size_t count = 0;
	struct pair *variables = arena_new_array(e->c->arena, struct pair, NATIVE_VARIABLES_MAX);
	*ret_has_path = false;
	path_split(behind_prefix(e->call->path), &path);
	for (size_t k = 0; variables && k < face->route_count; k++) {
		const struct native_route *r = &face->routes[k];
		if (r->segment_count != path.count ||
		    !path_fits(action_of(r)->path, &path, false, variables, NATIVE_VARIABLES_MAX, &count))
			continue;
		*ret_has_path = true;
		if (action_of(r)->method != method)
			continue;
		e->path = (struct pairs){variables, count};
		return r;
	}
	return NULL;
}

bool native_has_path(struct str path)
{
	return str_starts_with(path, STR(NATIVE_PREFIX)) &&
	       (path.n == strlen(NATIVE_PREFIX) || path.p[strlen(NATIVE_PREFIX)] == '/');
}

size_t native_count_groups(void)
{
	return sizeof groups / sizeof groups[0];
}

const struct api_actions *native_group_at(size_t k)
{
	return groups[k];
}

struct native_face *native_face_for_dumps(void)
{
	struct native_face *face = heap_alloc(sizeof *face);
	if (face && native_make_reads(face))
		return face;
	heap_free(face);
	return NULL;
}

void native_free_dumped(struct native_face *face)
{
	if (face)
		heap_free(face->paths);
	heap_free(face);
}
