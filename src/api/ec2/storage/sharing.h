/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: permissions of other accounts, as in ModifyImageAttribute and ModifySnapshotAttribute. */
#pragma once

#include "api/ec2/core/action.h"
#include "engine/storage/sharing.h"

struct ec2_permission {
	struct str group;
	struct ref user;
};
extern const struct params ec2_permission_params; /* struct ec2_permission */

struct ec2_permissions {
	const struct ec2_permission *at;
	size_t count;
};

/* The parameters of a change: <permission>.Add.N and .Remove.N, or OperationType with UserId.N and
 * UserGroup.N. */
struct ec2_sharing {
	struct ec2_permissions add, remove;
	struct str operation;
	struct strs groups;
	struct refs users;
};
#define EC2_PERMISSION_ROWS                                                                                  \
	PARAM(struct ec2_permission, "Group", group, .words = "all", .doc = "all: every account."),          \
		PARAM(struct ec2_permission, "UserId", user, .flags = BY_NAME, .kind = KIND_ACCOUNT,         \
		      .max = 64, .doc = "Account number.")
#define EC2_SHARING_PARAMS(T, permission, member, table)                                                     \
	PARAM_LIST(T, permission ".Add", member.add, table, .max = 100, .doc = "Permissions to add."),       \
		PARAM_LIST(T, permission ".Remove", member.remove, table, .max = 100,                        \
			   .doc = "Permissions to remove."),                                                 \
		PARAM(T, "OperationType", member.operation, .words = "add|remove",                           \
		      .doc = "Whether UserId and UserGroup are added or removed."),                          \
		PARAM(T, "UserId", member.users, .flags = BY_NAME, .kind = KIND_ACCOUNT, .max = 64,          \
		      .doc = "Account numbers."),                                                            \
		PARAM(T, "UserGroup", member.groups, .words = "all", .doc = "all: every account.")

/* Converts the parameters to the engine's wish; *ret_is_asked: the request changes something. permission: the parameter's name. */
RESULT ec2_take_sharing(struct ec2_call *e, const struct ec2_sharing *a, const char *permission,
			struct sharing *ret_sharing, bool *ret_is_asked);
/* Checks the users in a parameter: account numbers, or EC2's words for groups of users. ERR_INVALID with the field. */
RESULT ec2_check_users(struct ec2_call *e, const struct strs *users, const char *field);
void ec2_write_sharing(struct xml *x, const char *name, const struct tables *t, bool is_public,
		       const struct uuids *accounts);
