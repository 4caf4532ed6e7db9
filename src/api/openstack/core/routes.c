/* SPDX-License-Identifier: Apache-2.0
 * Finds the action of a request by service, path, method, microversion and the body's verb. */
#include "api/core/path.h"
#include "api/openstack/core/face.h"

#include <assert.h>
#include <stdlib.h>

static const struct os_actions *const action_groups[] = {
#define GROUP(name) &os_##name##_actions,
#include "api/openstack/core/action_groups.def"
#undef GROUP
};

static const char *path_of(const struct os_route *r)
{
	return os_row_of(r->entry.action)->path;
}

/* Sorts literal segments before variables, so that "detail" is not read as a server's id. */
static int compare_routes(const void *a, const void *b)
{
	const struct os_route *x = a, *y = b;
	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	if (x->segment_count != y->segment_count)
		return x->segment_count < y->segment_count ? -1 : 1;
	return path_compare_forms(path_of(x), path_of(y));
}

bool os_sum_routes(struct api_face *core)
{
	struct openstack_face *face = (struct openstack_face *) core;
	for (size_t g = 0; g < sizeof action_groups / sizeof action_groups[0]; g++)
		for (size_t k = 0; k < action_groups[g]->count; k++) {
			const struct os_action *action = &action_groups[g]->at[k];
			assert(face->route_count < OS_ROUTES_MAX);
			face->routes[face->route_count++] = (struct os_route){
				action_groups[g]->service, path_count_segments(str_from(action->path)),
				api_entry_of(&action->core)};
		}
	qsort(face->routes, face->route_count, sizeof face->routes[0], compare_routes);
	return true;
}

static bool has_version(const struct os_call *e, const struct os_route *r)
{
	const struct os_action *a = os_row_of(r->entry.action);
	int version = e->request.version;
	return (!a->since || version >= a->since) && (!a->until || version <= a->until);
}

static enum http_method method_of(const struct call *call)
{
	return call->method == HTTP_HEAD ? HTTP_GET : call->method;
}

/* In Compute, Image and Block Storage a trailing slash adds an empty id, which matches nothing: a client
 * whose id variable is empty must not receive the whole collection. The other services ignore the slash. */
static bool ends_with_no_id(const struct os_call *e, size_t segments)
{
	bool has_two = e->service == OS_IMAGE || e->service == OS_COMPUTE;
	size_t fewest = has_two ? 2 : e->service == OS_VOLUME ? 3 : SIZE_MAX; /* segments of a collection */
	return segments >= fewest && str_ends_with(e->call->path, STR("/"));
}

/* The first route of the service with so many segments, or where that would be. */
static const struct os_route *find_first(const struct openstack_face *face, enum os_service service,
					 size_t segments)
{
	size_t from = 0, end = face->route_count;
	while (from < end) {
		size_t middle = from + (end - from) / 2;
		const struct os_route *r = &face->routes[middle];
		bool is_before = r->service != service ? r->service < service : r->segment_count < segments;
		from = is_before ? middle + 1 : from;
		end = is_before ? end : middle;
	}
	return &face->routes[from];
}

const struct os_route *os_find_route(struct os_call *e, bool *ret_has_path)
{
	const struct openstack_face *face = os_face_of(e);
	struct path_parts path;
	size_t count = 0;
	struct pair *variables = arena_new_array(e->c->arena, struct pair, OS_VARIABLES_MAX);
	*ret_has_path = false;
	path_split(e->path, &path);
	if (!variables || ends_with_no_id(e, path.count))
		return NULL;
	const struct os_route *end = face->routes + face->route_count;
	for (const struct os_route *r = find_first(face, e->service, path.count); r < end; r++) {
		if (r->service != e->service || r->segment_count != path.count)
			break;
		if (!has_version(e, r) ||
		    !path_fits(path_of(r), &path, false, variables, OS_VARIABLES_MAX, &count))
			continue;
		*ret_has_path = true;
		if (os_row_of(r->entry.action)->method != method_of(e->call))
			continue;
		e->request.path = (struct pairs){variables, count};
		return r;
	}
	return NULL;
}

RESULT os_choose_route(struct os_call *e, const struct os_route *first)
{
	const struct openstack_face *face = os_face_of(e);
	void *member = json_object_iter(e->body);
	const char *name = member ? json_object_iter_key(member) : "";
	bool has_verb = os_row_of(first->entry.action)->verb;
	if (has_verb && json_object_size(e->body) > 1) /* the services would run none of the verbs */
		return ctx_fail(e->c, ERR_INVALID, "Malformed request body: too many body keys");
	for (const struct os_route *r = first; r < face->routes + face->route_count; r++) {
		if (strcmp(path_of(r), path_of(first)) != 0)
			break;
		if (!has_verb || (strcmp(os_row_of(r->entry.action)->verb, name) == 0 && has_version(e, r))) {
			api_choose_action(&e->core, &r->entry);
			return OK;
		}
	}
	return ctx_fail(e->c, ERR_INVALID, "There is no such action: %s", name);
}
