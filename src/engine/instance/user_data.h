/* SPDX-License-Identifier: Apache-2.0
 * Named user data (CloudStack). Instances copy it, so deleting it does not affect them. */
#pragma once

#include "engine/operation.h"

/* in bytes: CloudStack's 32 KiB of base64 */
enum { USER_DATA_MAX = 24 * 1024, USER_DATA_OF_ACCOUNT_MAX = 1000 };

struct user_data_wish {
	struct str name; /* 1 to 255 characters; ERR_EXISTS: the account has user data of that name */
	struct str data; /* decoded bytes */
	/* outputs: */
	uuid user_data;
};
OPERATION(engine_create_user_data, user_data_wish)

/* ERR_IN_USE: linked to an image. */
struct user_data_target {
	struct ref user_data;
};
OPERATION(engine_delete_user_data, user_data_target)

/* Sets the default user data of an image's instances. */
struct user_data_link {
	struct ref image, user_data; /* user_data of kind none: removes the default */
	bool denies_override;        /* refuses launches with other user data */
};
OPERATION(engine_link_user_data, user_data_link)
