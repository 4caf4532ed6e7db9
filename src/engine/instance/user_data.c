/* SPDX-License-Identifier: Apache-2.0
 * Named user data; instance_launch.c gives it to instances. */
#include "engine/instance/user_data.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "store/image.h"
#include "store/reference.h"
#include "store/user_data.h"

RESULT engine_create_user_data(struct op *op, struct user_data_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	if (wish->name.n < 1 || wish->name.n > 255 || !str_is_line(wish->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_USER_DATA, STR("name"),
				   "The name of user data has 1 to 255 characters.");
	if (wish->data.n < 1 || wish->data.n > USER_DATA_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_USER_DATA, STR("userdata"),
				   "User data is limited to %d bytes", USER_DATA_MAX);
	TRY(engine_permit(op, "user_data.create", KIND_USER_DATA, NULL));
	if (user_data_find_by_account(op->head, account, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_USER_DATA, STR("name"),
				   "A userdata record with name %" STR_FMT " already exists for owner.",
				   STR_ARG(wish->name));
	TRY(limit_check(op, LIMIT_USER_DATA, account, 1, STR_NONE));
	struct user_data data = {.row.id = engine_new_id(op, KIND_USER_DATA),
				 .row.gen = 1,
				 .account = account,
				 .name = wish->name,
				 .data = wish->data};
	TRY(user_data_put(op, &data));
	wish->user_data = data.row.id;
	return engine_log_event(op, KIND_USER_DATA, &data.row, "created", "User data %" STR_FMT ".",
				STR_ARG(data.name));
}

RESULT engine_delete_user_data(struct op *op, struct user_data_target *wish)
{
	const struct user_data *data = NULL;
	TRY(engine_permit_user_data(op, &wish->user_data, "user_data.delete", &data));
	if (reference_find_user(op->head, KIND_USER_DATA, data->row.id, false))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_USER_DATA, wish->user_data.field,
				   "Userdata %" STR_FMT
				   " cannot be removed as it is linked to active template/templates",
				   STR_ARG(data->name));
	TRY(engine_log_event(op, KIND_USER_DATA, &data->row, "deleted", "User data %" STR_FMT ".",
			     STR_ARG(data->name)));
	return user_data_forget(op, data->row.id);
}

RESULT engine_link_user_data(struct op *op, struct user_data_link *wish)
{
	const struct image *image = NULL;
	const struct user_data *data = NULL;
	TRY(engine_permit_image(op, &wish->image, "image.update", &image));
	if (ref_is_given(&wish->user_data))
		TRY(engine_find_own_user_data(op->ctx, op->head, &wish->user_data, &data));
	struct image next = *image;
	next.user_data = data ? data->row.id : UUID_NONE;
	next.user_data_policy = wish->denies_override ? IMAGE_USER_DATA_POLICY_DENY_OVERRIDE
						      : IMAGE_USER_DATA_POLICY_ALLOW_OVERRIDE;
	next.row.gen++;
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "changed", "The user data of its instances.");
}
