/* SPDX-License-Identifier: Apache-2.0
 * Groups of the caller's domain. Members are not read into a document, because a group may have many: a request becomes marks,
 * which users to add and which to remove, and the change applies the marks to the members of that moment. */
#include <stdlib.h>

#include "api/scim/internal.h"
#include "base/uuid_asked.h"
#include "base/vec.h"
#include "engine/people/user_group.h"
#include "engine/resolve.h"
#include "store/group_member.h"
#include "store/user.h"
#include "store/user_group.h"

struct mark {
	uuid user;
	bool is_member;
	size_t order; /* a later mark replaces an earlier one */
};

struct member_marks {
	VEC(struct mark) list;
	bool are_all; /* users without a mark leave the group */
};

struct group_args {
	struct scim_call *e;
	struct user_group_wish create;
	struct user_group_change change;
	struct user_group_target remove;
	struct member_marks marks;
	struct str name;
	uuid group;
	bool has_change;
};

/* ---- marks ---- */

static RESULT fail_member(struct ctx *c, struct str id)
{
	return ctx_fail_field(c, ERR_INVALID, STR("members"), "There is no user %" STR_FMT " in this domain.",
			      STR_ARG(str_cut(id, 64)));
}

/* Removing somebody who cannot be a member is no error. */
static RESULT mark_one(struct scim_call *e, struct member_marks *marks, struct str id, bool is_member)
{
	uuid user;
	if (!result_is_ok(uuid_parse_asked(id, &user)))
		return is_member ? fail_member(e->c, id) : OK;
	if (marks->list.count >= SCIM_MEMBERS_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "A request names at most %d members.", SCIM_MEMBERS_MAX);
	const struct mark mark = {user, is_member, marks->list.count};
	return VEC_PUSH(e->c->arena, &marks->list, mark) ? OK : ctx_no_memory(e->c);
}

/* A member is an object with the user's id, or the id alone. */
static RESULT mark_value(struct scim_call *e, struct member_marks *marks, const json_t *member,
			 bool is_member)
{
	const struct scim_attribute *members =
		scim_find_attribute(scim_group_type.at, scim_group_type.count, STR("members"));
	json_t *taken = NULL;
	TRY(scim_take_one(e->c, members, member, &taken));
	AUTO_JSON *object = taken;
	const json_t *value = json_object_get(object, "value");
	return mark_one(e, marks, (struct str){json_string_value(value), json_string_length(value)},
			is_member);
}

static RESULT mark_values(struct scim_call *e, struct member_marks *marks, const json_t *value,
			  bool is_member)
{
	if (!json_is_array(value))
		return value && !json_is_null(value) ? mark_value(e, marks, value, is_member) : OK;
	for (size_t k = 0; k < json_array_size(value); k++)
		TRY(mark_value(e, marks, json_array_get(value, k), is_member));
	return OK;
}

static void mark_all(struct member_marks *marks)
{
	marks->are_all = true;
	marks->list.count = 0;
}

/* members[value eq "…"], or several of them joined by or. */
static RESULT mark_filtered(struct scim_call *e, struct member_marks *marks, const struct scim_filter *f)
{
	if (f->op == SCIM_OR) {
		TRY(mark_filtered(e, marks, f->left));
		return mark_filtered(e, marks, f->right);
	}
	if (f->op != SCIM_EQ || f->literal != SCIM_IS_TEXT || strcmp(f->place.attribute->name, "value") != 0)
		return ctx_fail_field(e->c, ERR_INVALID, STR("filter"),
				      "Members are selected by value eq, and or between such terms.");
	return mark_one(e, marks, f->text, false);
}

static RESULT patch_members(struct scim_call *e, void *arg, struct str op, const struct scim_path *path,
			    const json_t *value)
{
	struct member_marks *marks = arg;
	bool removes = str_is(op, "remove");
	if (path->place.sub || (path->filter && !removes))
		return ctx_fail_field(e->c, ERR_INVALID, STR("mutability"),
				      "A member is added or removed, and never changed.");
	if (path->filter)
		return mark_filtered(e, marks, path->filter);
	if (str_is(op, "replace") || (removes && !value))
		mark_all(marks);
	return mark_values(e, marks, value, !removes);
}

static int compare_marks(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	int order = uuid_compare(x->user, y->user);
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* Sorts the marks, and keeps the last one of each user. */
static void settle_marks(struct member_marks *marks)
{
	struct mark *at = marks->list.at;
	size_t count = 0;
	if (marks->list.count)
		qsort(at, marks->list.count, sizeof *at, compare_marks);
	for (size_t k = 0; k < marks->list.count; k++) {
		if (count && uuid_equal(at[count - 1].user, at[k].user))
			count--;
		at[count++] = at[k];
	}
	marks->list.count = count;
}

static bool is_marked(const struct member_marks *marks, uuid user)
{
	size_t low = 0, high = marks->list.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = uuid_compare(user, marks->list.at[middle].user);
		if (order == 0)
			return true;
		*(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
	}
	return false;
}

/* ---- the change of members ---- */

static bool is_member(struct op *op, const struct group_args *a, uuid user)
{
	return group_member_find_by_user_group(op->head, a->group, user);
}

static bool is_reachable_user(struct op *op, const struct group_args *a, uuid id)
{
	const struct user *user = user_find(op->head, id);
	return user && scim_is_reachable(a->e, KIND_USER, &user->row);
}

/* Marks the present members without a mark, who are to leave. Members of other domains, which the region's administrator has
 * added and the caller does not see, stay. */
static RESULT mark_leaving(struct op *op, struct group_args *a)
{
	VEC(uuid) leaving = {0};
	for (const struct group_member *m = group_member_first_by_user_group(op->head, a->group); m;
	     m = group_member_next_by_user_group(op->head, m))
		if (!is_marked(&a->marks, m->user) && is_reachable_user(op, a, m->user) &&
		    !VEC_PUSH(op->ctx->arena, &leaving, m->user))
			return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < leaving.count; k++) {
		const struct mark mark = {leaving.at[k], false, 0};
		if (!VEC_PUSH(op->ctx->arena, &a->marks.list, mark))
			return ctx_no_memory(op->ctx);
	}
	return OK;
}

/* Policies may deny these parts of the call by their own names. */
static RESULT permit_member(struct op *op, const struct group_args *a, bool adds)
{
	const struct user_group *group = user_group_find(op->head, a->group);
	return engine_permit(op, adds ? "group.add_member" : "group.remove_member", KIND_USER_GROUP,
			     group ? &group->row : NULL);
}

static RESULT apply_mark(struct op *op, struct group_args *a, const struct mark *mark)
{
	struct membership wish = {.user_group = ref_by_id(KIND_USER_GROUP, a->group),
				  .user = ref_by_id(KIND_USER, mark->user)};
	if (!is_reachable_user(op, a, mark->user))
		return mark->is_member ? fail_member(op->ctx, scim_write_id(op->ctx->arena, mark->user)) : OK;
	if (is_member(op, a, mark->user) == mark->is_member)
		return OK;
	TRY(permit_member(op, a, mark->is_member));
	return mark->is_member ? engine_add_group_member(op, &wish) : engine_remove_group_member(op, &wish);
}

static RESULT apply_marks(struct op *op, struct group_args *a)
{
	settle_marks(&a->marks);
	if (a->marks.are_all)
		TRY(mark_leaving(op, a));
	for (size_t k = 0; k < a->marks.list.count; k++)
		TRY(apply_mark(op, a, &a->marks.list.at[k]));
	return OK;
}

/* ---- creating ---- */

static RESULT read_name(struct scim_call *e, const json_t *document, struct group_args *a)
{
	const json_t *name = json_object_get(document, "displayName");
	a->name = str_copy(e->c->arena, (struct str){json_string_value(name), json_string_length(name)});
	return a->name.n ? OK
			 : ctx_fail_field(e->c, ERR_INVALID, STR("displayName"), "displayName is required.");
}

static json_t *find_members(const json_t *body)
{
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *) body, name, value) {
		struct scim_place place;
		if (scim_read_place(&scim_group_type, str_from(name), &place) &&
		    strcmp(place.attribute->name, "members") == 0)
			return value;
	}
	return NULL;
}

static RESULT prepare_create(struct scim_call *e, void *args)
{
	struct group_args *a = args;
	json_t *taken = NULL;
	TRY(scim_take_resource(e, e->body, &taken));
	AUTO_JSON *document = taken;
	TRY(read_name(e, document, a));
	a->e = e;
	a->create.domain = ref_by_id(KIND_DOMAIN, e->domain);
	a->create.name = a->name;
	TRY(scim_list_changed(e, NULL, document, &a->create.extra));
	return mark_values(e, &a->marks, find_members(e->body), true);
}

static RESULT run_create(struct op *op, void *args)
{
	struct group_args *a = args;
	TRY(engine_create_user_group(op, &a->create));
	a->group = a->create.user_group;
	return apply_marks(op, a);
}

static RESULT answer_create(struct scim_call *e, const void *args, struct json_writer *w)
{
	e->status = 201;
	return scim_answer_row(e, ((const struct group_args *) args)->group, w);
}

/* ---- changing ---- */

static RESULT take_change(struct scim_call *e, const struct user_group *group, const json_t *before,
			  const json_t *after, struct group_args *a)
{
	TRY(read_name(e, after, a));
	TRY(scim_list_changed(e, before, after, &a->change.extra));
	a->group = group->row.id;
	a->change.user_group = ref_by_id(KIND_USER_GROUP, a->group);
	if (!str_equal(a->name, group->name))
		a->change.name = &a->name;
	a->has_change = a->change.name || a->change.extra.count;
	e->skips_operation = !a->has_change && !a->marks.are_all && !a->marks.list.count;
	return OK;
}

static RESULT prepare_change(struct scim_call *e, void *args)
{
	struct group_args *a = args;
	struct scim_reader r = {.e = e, .tables = scim_tables(e)};
	json_t *taken = NULL;
	a->e = e;
	TRY(scim_find_row(e, &r.row));
	TRY(scim_check_version(e, e->c, r.row));
	AUTO_JSON *before = scim_make_document(&r);
	if (e->call->method == HTTP_PUT) {
		mark_all(&a->marks);
		TRY(mark_values(e, &a->marks, find_members(e->body), true));
		TRY(scim_take_resource(e, e->body, &taken));
	} else {
		taken = json_deep_copy(before);
	}
	AUTO_JSON *after = taken;
	if (!before || !after)
		return ctx_no_memory(e->c);
	if (e->call->method == HTTP_PATCH)
		TRY(scim_patch(e, after, patch_members, &a->marks));
	return take_change(e, user_group_of(r.row), before, after, a);
}

static RESULT check_present_version(struct op *op, const struct group_args *a)
{
	const struct user_group *group = user_group_find(op->head, a->group);
	return group ? scim_check_version(a->e, op->ctx, &group->row) : OK;
}

static RESULT run_change(struct op *op, void *args)
{
	struct group_args *a = args;
	const struct row *row = NULL;
	const struct ref group = ref_by_id(KIND_USER_GROUP, a->group);
	TRY(engine_look_up(op->ctx, op->head, KIND_USER_GROUP, &group, &row));
	TRY(engine_permit(op, "group.update", KIND_USER_GROUP, row));
	TRY(check_present_version(op, a));
	if (a->has_change)
		TRY(engine_update_user_group(op, &a->change));
	return apply_marks(op, a);
}

static RESULT answer_put(struct scim_call *e, const void *args, struct json_writer *w)
{
	return scim_answer_row(e, ((const struct group_args *) args)->group, w);
}

/* The members would make a long answer: RFC 7644 3.5.2 asks for a body if the request names attributes. */
static RESULT answer_patch(struct scim_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	if (e->shown.has_only)
		return answer_put(e, args, w);
	TRY(scim_find_left(e, ((const struct group_args *) args)->group, &row));
	scim_set_headers(e, row);
	e->status = 204;
	e->has_no_body = true;
	return OK;
}

/* ---- reading and deleting ---- */

static RESULT prepare_delete(struct scim_call *e, void *args)
{
	struct group_args *a = args;
	const struct row *row = NULL;
	TRY(scim_find_row(e, &row));
	TRY(scim_check_version(e, e->c, row));
	a->e = e;
	a->group = row->id;
	a->remove.user_group = ref_by_id(KIND_USER_GROUP, row->id);
	return OK;
}

static RESULT run_delete(struct op *op, void *args)
{
	struct group_args *a = args;
	TRY(check_present_version(op, a));
	return engine_delete_user_group(op, &a->remove);
}

static const struct scim_action rows[] = {
	{HTTP_GET, "Groups", .name = "listGroups", .permit = "identity:list_groups",
	 .args = {.size = sizeof(struct scim_list_args)}, .work = scim_list_work,
	 .doc = "Lists the domain's groups, by a filter, in pages.", .type = &scim_group_type,
	 .prepare = scim_prepare_list, .answer = scim_answer_list},
	{HTTP_POST, "Groups/.search", .name = "searchGroups", .permit = "identity:list_groups",
	 .args = {.size = sizeof(struct scim_list_args)}, .work = scim_list_work,
	 .doc = "Lists the domain's groups, with the parameters in the body.", .type = &scim_group_type,
	 .prepare = scim_prepare_search, .answer = scim_answer_list},
	{HTTP_POST, "Groups", .name = "createGroup", .permit = "identity:create_group", .flags = API_WRITES,
	 .args = {.size = sizeof(struct group_args)}, .operation = run_create, .returns = KIND_USER_GROUP,
	 .doc = "Creates a group, with members.", .type = &scim_group_type, .prepare = prepare_create,
	 .answer = answer_create},
	{HTTP_GET, "Groups/{id}", .name = "getGroup", .permit = "identity:get_group",
	 .doc = "Shows a group with its members.", .type = &scim_group_type, .answer = scim_answer_one},
	{HTTP_PUT, "Groups/{id}", .name = "replaceGroup", .permit = "identity:update_group",
	 .flags = API_WRITES, .args = {.size = sizeof(struct group_args)}, .operation = run_change,
	 .returns = KIND_USER_GROUP, .doc = "Replaces a group's attributes and members.",
	 .type = &scim_group_type, .prepare = prepare_change, .answer = answer_put},
	{HTTP_PATCH, "Groups/{id}", .name = "patchGroup", .permit = "identity:update_group",
	 .flags = API_WRITES, .args = {.size = sizeof(struct group_args)}, .operation = run_change,
	 .returns = KIND_USER_GROUP, .doc = "Changes a group's name; adds and removes members.",
	 .type = &scim_group_type, .prepare = prepare_change, .answer = answer_patch},
	{HTTP_DELETE, "Groups/{id}", .name = "deleteGroup", .permit = "identity:delete_group",
	 .flags = API_WRITES, .args = {.size = sizeof(struct group_args)}, .operation = run_delete,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a group; its members stay users.",
	 .type = &scim_group_type, .prepare = prepare_delete},
};
const struct api_actions scim_group_actions = API_ACTIONS(rows);
