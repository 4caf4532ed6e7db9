/* SPDX-License-Identifier: Apache-2.0
 * The what-if operation compares a GET of each resource with the PUT that the template would send. Members that
 * the template does not name keep their values and are not reported. Source: Azure REST API reference, "Deployments
 * - What If"; "ARM template deployment what-if operation".
 */
#include "api/azure/deployments/deployments.h"

#include "base/vec.h"

enum { DELTA_DEPTH_MAX = 32 };

struct what_if {
	struct az_call *e;
	json_t *changes;
	bool is_short; /* resultFormat ResourceIdOnly */
};

/* ---- differences ---- */

/* Compares ids and locations without case; "Korea Central" equals "koreacentral". */
static bool is_same_text(struct az_call *e, const char *name, const json_t *before, const json_t *after)
{
	struct str a = str_from(json_string_value(before)), b = str_from(json_string_value(after));
	if (str_equal_nocase(str_from(name), STR("location")))
		return str_equal(az_fold_location(e, a), az_fold_location(e, b));
	return str_starts_with(b, STR("/subscriptions/")) ? str_equal_nocase(a, b) : str_equal(a, b);
}

/* True for members that no answer shows. */
static bool is_secret(const char *name)
{
	static const char *const names[] = {"adminPassword", "customData", "userData", "protectedSettings"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (str_equal_nocase(str_from(name), str_from(names[k])))
			return true;
	return false;
}

static json_t *new_delta(const char *path, const char *type, const json_t *before, const json_t *after)
{
	return json_pack("{s:s, s:s, s:O?, s:O?}", "path", path, "propertyChangeType", type, "before", before,
			 "after", after);
}

static RESULT add_delta(struct what_if *w, json_t *delta, json_t *one)
{
	return one && !json_array_append_new(delta, one) ? OK : ctx_no_memory(w->e->c);
}

static RESULT compare(struct what_if *w, const char *path, const char *name, const json_t *before,
		      const json_t *after, unsigned depth, json_t *delta);

static RESULT compare_objects(struct what_if *w, const char *path, const json_t *before, const json_t *after,
			      unsigned depth, json_t *delta)
{
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *) after, name, value) {
		const json_t *there = template_get(before, name);
		struct str deeper = str_print(w->e->c->arena, "%s%s%s", path, *path ? "." : "", name);
		if (json_is_null(value) || (!there && is_secret(name)))
			continue;
		TRY(compare(w, str_to_z(w->e->c->arena, deeper), name, there, value, depth + 1, delta));
	}
	return OK;
}

/* Compares element by element; extra elements are created or deleted. */
static RESULT compare_lists(struct what_if *w, const char *path, const json_t *before, const json_t *after,
			    unsigned depth, json_t *delta)
{
	size_t was = json_array_size(before), is = json_array_size(after);
	json_auto_t *children = json_array();
	for (size_t k = 0; k < (was > is ? was : is); k++) {
		const char *place = str_print(w->e->c->arena, "%zu", k).p;
		if (k < is)
			TRY(compare(w, place, "", json_array_get(before, k), json_array_get(after, k),
				    depth + 1, children));
		else
			TRY(add_delta(w, children,
				      new_delta(place, "Delete", json_array_get(before, k), NULL)));
	}
	if (!json_array_size(children))
		return OK;
	return add_delta(w, delta,
			 json_pack("{s:s, s:s, s:O, s:O, s:O}", "path", path, "propertyChangeType", "Array",
				   "before", before, "after", after, "children", children));
}

/* Adds a difference. An empty object equals an absent one. */
static RESULT add_difference(struct what_if *w, const char *path, const json_t *before, const json_t *after,
			     json_t *delta)
{
	if (!before && json_is_object(after) && !json_object_size(after))
		return OK;
	return add_delta(w, delta, new_delta(path, before ? "Modify" : "Create", before, after));
}

static RESULT compare(struct what_if *w, const char *path, const char *name, const json_t *before,
		      const json_t *after, unsigned depth, json_t *delta)
{
	if (depth > DELTA_DEPTH_MAX || json_equal(before, after))
		return OK;
	if (json_is_object(before) && json_is_object(after))
		return compare_objects(w, path, before, after, depth, delta);
	if (json_is_array(before) && json_is_array(after))
		return compare_lists(w, path, before, after, depth, delta);
	if (json_is_string(before) && json_is_string(after) && is_same_text(w->e, name, before, after))
		return OK;
	return add_difference(w, path, json_is_null(before) ? NULL : before, after, delta);
}

/* ---- one resource ---- */

/* "before" and "after" include the resource's id and type. */
static json_t *describe(const struct deployment_step *s, struct arena *a, const json_t *body)
{
	json_t *to = json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", str_to_z(a, s->version), "id",
			       str_to_z(a, s->target), "name", str_to_z(a, s->target_name), "type",
			       str_to_z(a, s->target_type));
	if (to && body && json_object_update_missing(to, (json_t *) body)) {
		json_decref(to);
		return NULL;
	}
	return to;
}

static RESULT add_change(struct what_if *w, const struct deployment_step *s, const char *type,
			 const json_t *before, const json_t *after, const json_t *delta)
{
	struct arena *a = w->e->c->arena;
	json_auto_t *one = json_pack("{s:s, s:s}", "resourceId", str_to_z(a, s->target), "changeType", type);
	bool is_bad = !one;
	if (before && !w->is_short)
		is_bad = is_bad || json_object_set_new(one, "before", describe(s, a, before));
	if (after && !w->is_short)
		is_bad = is_bad || json_object_set_new(one, "after", describe(s, a, after));
	if (delta && !w->is_short)
		is_bad = is_bad || json_object_set(one, "delta", (json_t *) delta);
	return is_bad || json_array_append(w->changes, one) ? ctx_no_memory(w->e->c) : OK;
}

static RESULT find_before(struct what_if *w, const struct deployment_step *s, json_t **ret_body)
{
	int status = 0;
	json_auto_t *body = NULL;
	TRY(deployer_ask(w->e, s->target, s->version, &status, &body));
	*ret_body = NULL;
	if (status == 404)
		return OK;
	if (status == 200) {
		*ret_body = json_incref(body);
		return OK;
	}
	const char *words = json_string_value(template_get(template_get(body, "error"), "message"));
	return ctx_fail(w->e->c,
			status == 403   ? ERR_DENIED
			: status == 429 ? ERR_THROTTLED
					: ERR_INVALID,
			"The resource '%" STR_FMT "' could not be read: %s", STR_ARG(s->target),
			words ? words : "");
}

static RESULT look_at(struct what_if *w, struct template *t, size_t k, const struct deployment_step *s)
{
	json_t *after = NULL;
	json_auto_t *before = NULL, *delta = json_array();
	if (str_equal_nocase(s->target_type, STR("Microsoft.Resources/deployments")))
		return add_change(w, s, "Unsupported", NULL, NULL, NULL);
	TRY(find_before(w, s, &before));
	TRY(template_make_body(t, k, true, &after));
	if (!before)
		return add_change(w, s, "Create", NULL, after, NULL);
	TRY(compare_objects(w, "", before, after, 0, delta));
	return add_change(w, s, json_array_size(delta) ? "Modify" : "NoChange", before, after, delta);
}

/* ---- all of them ---- */

static bool is_in_template(const struct deployment_wish *wish, struct str id)
{
	for (size_t k = 0; k < wish->step_count; k++)
		if (!wish->steps[k].is_left_out && str_equal_nocase(wish->steps[k].target, id))
			return true;
	return false;
}

/* Adds the other resources of the group. */
static RESULT look_at_rest(struct what_if *w, const struct deployment_wish *wish)
{
	struct deployment_steps all = {0};
	AUTO_VIEW view = {0};
	view_open(w->e->config->store, &view);
	TRY(deployment_list_group(w->e->c, view.tables, w->e->c->who->account, wish->row.resource_group,
				  &all));
	view_close(&view);
	for (size_t k = 0; k < all.count; k++) {
		json_auto_t *before = NULL;
		if (is_in_template(wish, all.at[k].target))
			continue;
		TRY(find_before(w, &all.at[k], &before));
		if (before)
			TRY(add_change(w, &all.at[k], wish->row.is_complete ? "Delete" : "Ignore", before,
				       NULL, NULL));
	}
	return OK;
}

static bool wants_ids(const struct deployment_source *s)
{
	const json_t *settings = template_get(template_get(s->root, "properties"), "whatIfSettings");
	const json_t *format = template_get(settings, "resultFormat");
	return str_equal_nocase(str_from(json_string_value(format)), STR("ResourceIdOnly"));
}

RESULT deployment_find_changes(struct az_call *e, const struct deployment_source *s, struct template *t,
			       const struct deployment_wish *wish, struct str *ret_changes)
{
	json_auto_t *changes = json_array();
	struct what_if w = {.e = e, .changes = changes, .is_short = wants_ids(s)};
	e->error = NULL;
	TRY(template_hide_secrets(t));
	for (size_t k = 0; k < wish->step_count; k++)
		if (!wish->steps[k].is_left_out && wish->steps[k].act == DEPLOYMENT_OPERATION_ACT_CREATE)
			TRY(look_at(&w, t, k, &wish->steps[k]));
	TRY(look_at_rest(&w, wish));
	return deployment_write_json(e->c, changes, ret_changes);
}
