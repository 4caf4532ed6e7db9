/* SPDX-License-Identifier: Apache-2.0
 * Types of volume groups: rows only. */
#include "store/volume_group_type.h"
#include "engine/internal.h"
#include "engine/storage/volume/volume_group.h"
#include "engine/tag_internal.h"
#include "store/volume_group.h"

bool engine_may_use_volume_group_type(const struct ctx *c, const struct volume_group_type *type)
{
	return type->is_public || identity_is_admin(c->who);
}

static RESULT check_name(struct op *op, struct str name)
{
	TRY(engine_check_name(op, KIND_VOLUME_GROUP_TYPE, name));
	if (volume_group_type_find_by_name(op->head, name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_VOLUME_GROUP_TYPE, STR("name"),
				   "Group Type %" STR_FMT " already exists.", STR_ARG(name));
	return OK;
}

static RESULT apply(struct op *op, const struct volume_group_type_wish *wish, struct volume_group_type *type)
{
	if (wish->set_name)
		type->name = wish->name;
	if (wish->set_description)
		type->description = wish->description;
	if (type->description.n > 255 || !str_is_xml_text(type->description))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME_GROUP_TYPE, STR("description"),
				   "A description has up to 255 characters.");
	if (wish->set_specs)
		TRY(tag_normalize(op, wish->specs, &type->specs));
	choice_apply(wish->is_public, &type->is_public);
	return OK;
}

RESULT engine_create_volume_group_type(struct op *op, struct volume_group_type_wish *wish)
{
	struct volume_group_type type = {.row.gen = 1, .is_public = true};
	wish->set_name = wish->set_description = wish->set_specs = true;
	TRY(engine_permit(op, "volume_group_type.create", KIND_VOLUME_GROUP_TYPE, NULL));
	TRY(check_name(op, wish->name));
	TRY(apply(op, wish, &type));
	type.row.id = engine_new_id(op, KIND_VOLUME_GROUP_TYPE);
	wish->group_type = type.row.id;
	return volume_group_type_put(op, &type);
}

RESULT engine_update_volume_group_type(struct op *op, struct volume_group_type_wish *wish)
{
	const struct volume_group_type *type = NULL;
	TRY(engine_find_volume_group_type(op->ctx, op->head, &wish->type, &type));
	TRY(engine_permit(op, "volume_group_type.update", KIND_VOLUME_GROUP_TYPE, &type->row));
	struct volume_group_type next = *type;
	if (wish->set_name && !str_equal(wish->name, type->name))
		TRY(check_name(op, wish->name));
	TRY(apply(op, wish, &next));
	next.row.gen++;
	wish->group_type = type->row.id;
	return volume_group_type_put(op, &next);
}

RESULT engine_delete_volume_group_type(struct op *op, struct volume_group_type_target *wish)
{
	const struct volume_group_type *type = NULL;
	TRY(engine_find_volume_group_type(op->ctx, op->head, &wish->type, &type));
	TRY(engine_permit(op, "volume_group_type.delete", KIND_VOLUME_GROUP_TYPE, &type->row));
	if (volume_group_first_by_type(op->head, type->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME_GROUP_TYPE, wish->type.field,
				   "Target group type is still in use.");
	return volume_group_type_forget(op, type->row.id);
}
