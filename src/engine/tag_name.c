/* SPDX-License-Identifier: Apache-2.0
 * Predefined tag names. Called by: api/azure/resources/. */
#include "engine/tag_name.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/resource_group.h"
#include "engine/tag.h"
#include "store/arm_resource.h"

#define OF_NAMES STR("microsoft.resources/tagnames")
#define OF_VALUES STR("microsoft.resources/tagnames/tagvalues")
enum { NAME_MAX_SIZE = 512, VALUE_MAX_SIZE = 256 }; /* Azure's limits */

/* A value is stored after its name and a newline, which names cannot contain. */
bool engine_read_tag_name(const struct arm_resource *r, struct str *ret_name, struct str *ret_value)
{
	bool is_value = str_equal(r->type, OF_VALUES);
	struct str rest = r->name;
	*ret_name = r->name;
	*ret_value = STR_NONE;
	if (!is_value)
		return str_equal(r->type, OF_NAMES);
	if (str_split_next(&rest, '\n', ret_name))
		*ret_value = rest;
	return true;
}

static RESULT check_text(struct op *op, const char *field, struct str text, size_t most)
{
	return text.n <= most && str_is_line(text)
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_ARM_RESOURCE, str_from(field),
				     "The %s of a tag has 1 to %zu characters.", field, most);
}

static RESULT forget_values(struct op *op, uuid account, struct str folded)
{
	struct str name, value;
	const struct arm_resource *r = arm_resource_first_by_account(op->head, account), *after = NULL;
	for (; r; r = after) {
		after = arm_resource_next_by_account(op->head, r);
		if (engine_read_tag_name(r, &name, &value) && value.n && str_equal_nocase(name, folded))
			TRY(arm_resource_forget(op, r->row.id));
	}
	return OK;
}

static RESULT add(struct op *op, uuid account, struct str type, struct str name)
{
	TRY(limit_check(op, LIMIT_ARM_RESOURCES, account, 1, STR_NONE));
	struct arm_resource next = {.row.id = engine_new_id(op, KIND_ARM_RESOURCE),
				    .row.gen = 1,
				    .account = account,
				    .type = type,
				    .name = name,
				    .folded = str_lower(op->ctx->arena, name),
				    .target_kind = KIND_ACCOUNT,
				    .target = account};
	return arm_resource_put(op, &next);
}

RESULT engine_put_tag_name(struct op *op, struct tag_name_wish *wish)
{
	uuid account = UUID_NONE;
	struct arena *a = op->ctx->arena;
	TRY(engine_find_acting_id(op, &account));
	uuid owner = account;
	struct str type = wish->value.n ? OF_VALUES : OF_NAMES, name = wish->name;
	TRY(engine_permit(op, wish->is_removed ? "tag.remove" : "tag.set", KIND_ACCOUNT, NULL));
	TRY(check_text(op, "tagName", wish->name, NAME_MAX_SIZE));
	TRY(check_text(op, "tagValue", wish->value, VALUE_MAX_SIZE));
	if (wish->value.n)
		name = str_print(a, "%" STR_FMT "\n%" STR_FMT, STR_ARG(wish->name), STR_ARG(wish->value));
	const struct arm_resource *before =
		arm_resource_find_by_name(op->head, owner, UUID_NONE, type, str_lower(a, name));
	wish->is_new = !before;
	if (wish->is_removed && !wish->value.n)
		TRY(forget_values(op, owner, wish->name));
	if (wish->is_removed)
		return before ? arm_resource_forget(op, before->row.id) : OK;
	if (before)
		return OK;
	if (wish->value.n &&
	    !arm_resource_find_by_name(op->head, owner, UUID_NONE, OF_NAMES, str_lower(a, wish->name)))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_ARM_RESOURCE, STR("tagName"),
				   "The tag name '%" STR_FMT "' was not said.", STR_ARG(wish->name));
	return add(op, owner, type, name);
}
