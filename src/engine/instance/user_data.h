/* SPDX-License-Identifier: Apache-2.0
 * User data that has a name. Instances copy it, so that what is deleted changes nothing of them. */
#pragma once

#include "engine/operation.h"

/* Bytes: CloudStack's 32 KiB of base64. */
enum { USER_DATA_MAX = 24 * 1024, USER_DATA_OF_ACCOUNT_MAX = 1000 };

struct user_data_wish {
	struct str name; /* 1 to 255 characters; ERR_EXISTS: the account has one of that name */
	struct str data; /* bytes, decoded */
	/* made: */
	uuid user_data;
};
OPERATION(engine_create_user_data, user_data_wish)

/* ERR_IN_USE: an image gives it to its instances. */
struct user_data_target {
	struct ref user_data;
};
OPERATION(engine_delete_user_data, user_data_target)

/* What instances of an image get as user data where their launch says none. */
struct user_data_link {
	struct ref image, user_data; /* user_data of kind none: nothing any more */
	bool denies_override;        /* a launch that says other user data is refused */
};
OPERATION(engine_link_user_data, user_data_link)
