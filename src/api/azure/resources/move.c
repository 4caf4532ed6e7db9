/* SPDX-License-Identifier: Apache-2.0
 * Moves resources to another group of the subscription, and validates moves. Parts move along; attached
 * resources may stay. Source: Azure REST API reference, "Resources - Move Resources", 2021-04-01.
 */
#include "api/azure/core/action.h"

#include "api/core/path.h"
#include "base/uuid_asked.h"
#include "engine/resolve.h"
#include "engine/resource_move.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"

struct move_args {
	struct resources_move wish; /* first: the operation reads it */
	struct strs resources;
	struct str target;
};
static const struct param move_rows[] = {
	PARAM(struct move_args, "resources", resources, .flags = REQUIRED, .max = RESOURCES_MOVED_MAX,
	      .doc = "Ids of the resources."),
	PARAM(struct move_args, "targetResourceGroup", target, .flags = REQUIRED,
	      .doc = "Id of the target resource group."),
};

static const struct api_error bad_request = {ERR_INVALID, 0, 400,
					     "InvalidMoveResourcesRequest"}; /* guessed */
static const struct api_error failed = {ERR_NOT_FOUND, 0, 404, "ResourceNotFound"};

/* Cuts "/subscriptions/{ours}/resourceGroups/{group}" off an id. */
static bool take_group(struct az_call *e, struct str *id, struct str *ret_group)
{
	struct str word;
	uuid account = UUID_NONE;
	return path_next_segment(id, &word) && str_equal_nocase(word, STR("subscriptions")) &&
	       path_next_segment(id, &word) && result_is_ok(uuid_parse_asked(word, &account)) &&
	       uuid_equal(account, e->c->who->account) && path_next_segment(id, &word) &&
	       str_equal_nocase(word, STR("resourceGroups")) && path_next_segment(id, ret_group);
}

static RESULT fail_id(struct az_call *e, const char *field, struct str id)
{
	e->error = &bad_request;
	return az_fail(e, field,
		       "The id '%" STR_FMT "' is not one of this subscription and the source resource group.",
		       STR_ARG(str_slice(id, 0, 512)));
}

/* Splits "Microsoft.Compute/disks/disk1" into type and name. Refuses parts, which move with their whole. */
static bool split(struct az_call *e, struct str rest, struct str *ret_type, struct str *ret_name)
{
	struct str providers, space, type;
	bool is_one = path_next_segment(&rest, &providers) && str_equal_nocase(providers, STR("providers")) &&
		      path_next_segment(&rest, &space) && path_next_segment(&rest, &type) &&
		      path_next_segment(&rest, ret_name);
	struct str more;
	*ret_type = is_one ? str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(space), STR_ARG(type))
			   : STR_NONE;
	return is_one && !path_next_segment(&rest, &more);
}

/* Kind of the type's resources; KIND_NONE: they cannot be moved. */
static enum kind kind_of(struct str type, const struct az_type **ret_type)
{
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct az_action *a = az_row_of(api_action_at(az_groups[g], k));
			const struct az_type *t = &az_types[a->type];
			size_t n = strlen(t->space);
			if (!a->listing || type.n <= n || type.p[n] != '/' ||
			    !str_equal_nocase(str_slice(type, 0, n), str_from(t->space)) ||
			    !str_equal_nocase(str_slice(type, n + 1, type.n), str_from(t->name)))
				continue;
			*ret_type = t;
			return a->listing->kind;
		}
	return KIND_NONE;
}

static RESULT find_one(struct az_call *e, struct str id, struct moved_resource *one)
{
	struct str rest = id, group, type;
	const struct az_type *of = NULL;
	const struct row *row = NULL;
	if (!take_group(e, &rest, &group) ||
	    !str_equal_nocase(group, az_path_value(e, "resourceGroupName")) ||
	    !split(e, rest, &type, &one->name))
		return fail_id(e, "resources", id);
	one->kind = kind_of(type, &of);
	if (one->kind == KIND_NONE)
		return fail_id(e, "resources", id);
	TRY(az_find_id(e, "resources", id, (enum az_types)(of - az_types), one->kind, &row));
	one->target = row->id;
	one->type = str_print(e->c->arena, "%s/%s", of->space, of->name);
	return OK;
}

static RESULT find_target(struct az_call *e, struct str id, uuid *ret_group)
{
	struct str rest = id, name, more;
	if (!take_group(e, &rest, &name) || path_next_segment(&rest, &more))
		return fail_id(e, "targetResourceGroup", id);
	const struct resource_group *g =
		engine_find_resource_group(az_tables(e), e->c->arena, e->c->who->account, name);
	*ret_group = g ? g->row.id : UUID_NONE;
	if (g || str_equal_nocase(name, STR(AZ_DEFAULT_GROUP)))
		return OK;
	e->error = &az_no_group;
	return ctx_fail(e->c, ERR_NOT_FOUND, "Resource group '%" STR_FMT "' could not be found.",
			STR_ARG(str_slice(name, 0, 128)));
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct move_args *a = args;
	struct moved_resource *list =
		arena_new_array(e->c->arena, struct moved_resource, a->resources.count + 1);
	if (!list)
		return ctx_no_memory(e->c);
	TRY(az_find_group(e));
	TRY(find_target(e, a->target, &a->wish.to));
	if (!a->resources.count)
		return az_fail(e, "resources", "Required parameter 'resources' is empty.");
	for (size_t k = 0; k < a->resources.count; k++) {
		struct result found = find_one(e, a->resources.at[k], &list[k]);
		if (found.code == ERR_NOT_FOUND)
			e->error = &failed;
		TRY(found);
	}
	a->wish.from = e->group;
	a->wish.resources = list;
	a->wish.count = a->resources.count;
	a->wish.is_tried = str_is(str_from(az_action_of(e)->name), "Resources_ValidateMoveResources");
	e->status = 204;
	return OK;
}

#define CALL(word, path, says)                                                                               \
	{                                                                                                    \
		HTTP_POST, AZ_GROUP path,                                                                    \
			.name = (word), .permit = "ec2:MoveResources", .flags = API_WRITES,                  \
			.type = AZ_RESOURCES,                                                                \
			.args = PARAMS(struct move_args, move_rows, .object = "ResourcesMoveInfo"),          \
			.prepare = prepare, .operation = engine_move_resources_run,                          \
			.returns = API_RETURNS_NOTHING_STORED, .doc = (says)                                 \
	}
static const struct az_action actions[] = {
	CALL("Resources_MoveResources", "/moveResources", "Moves resources to another resource group."),
	CALL("Resources_ValidateMoveResources", "/validateMoveResources",
	     "Checks whether resources could be moved."),
};
const struct api_actions az_move_actions = API_ACTIONS(actions);
