/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: who may use what is somebody's, as ModifyImageAttribute and ModifySnapshotAttribute
 * say it. */
#pragma once

#include "api/ec2/action.h"

struct ec2_permission {
	struct str group;
	struct ref user;
};
extern const struct params ec2_permission_params; /* struct ec2_permission */

struct ec2_permissions {
	const struct ec2_permission *at;
	size_t count;
};

/* Accounts of the list, if there are any; sets *is_public to choice where everybody is among them. */
RESULT ec2_take_permissions(struct ec2_call *e, const struct ec2_permissions *list, enum choice choice,
			    enum choice *is_public, struct refs *ret_accounts);
void ec2_write_sharing(struct xml *x, const char *name, const struct tables *t, bool is_public,
		       const struct uuids *accounts);
