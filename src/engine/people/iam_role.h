/* SPDX-License-Identifier: Apache-2.0
 * IAM's roles, and the instance profiles that give them to instances. Keystone's roles are in
 * role.h. Callers check trust policies before (auth/policy.h). For an account's owner and managers,
 * and those whom policies allow it. */
#pragma once

#include "engine/operation.h"

enum {
	IAM_ROLES_MAX = 1000, /* of an account; instance profiles likewise */
	SESSION_S_MIN = 900,
	SESSION_S_MAX = 43200,
	SESSION_S_ABSENT = 3600, /* how long a session may last, if the role does not say */
};

struct iam_role_wish {
	struct str name, path, description, trust; /* path empty: "/" */
	int64_t session_max_s;                     /* 0: SESSION_S_ABSENT */
	struct tags tags;
	struct ref boundary; /* none: none */
	/* made: */
	uuid iam_role;
};
OPERATION(engine_create_iam_role, iam_role_wish)

struct iam_role_change {
	struct ref iam_role;
	const struct str *description; /* NULL: as it is */
	struct str trust;              /* empty: as it is */
	int64_t session_max_s;         /* 0: as it is */
};
OPERATION(engine_update_iam_role, iam_role_change)
OPERATION(engine_update_iam_role_trust, iam_role_change)

/* Deletes a role. ERR_IN_USE: it has policies, or an instance profile has it. */
struct iam_role_target {
	struct ref iam_role;
};
OPERATION(engine_delete_iam_role, iam_role_target)

struct instance_profile_wish {
	struct str name, path;
	struct tags tags;
	/* made: */
	uuid instance_profile;
};
OPERATION(engine_create_instance_profile, instance_profile_wish)

/* Deletes a profile. ERR_IN_USE: it has a role. Instances that have the profile then have none. */
struct instance_profile_target {
	struct ref instance_profile;
};
OPERATION(engine_delete_instance_profile, instance_profile_target)

/* Managed identities, as Azure has them: a role that instances alone can take, with an instance profile of the same name. Nothing is
 * allowed to it before somebody says so. */
struct managed_identity_wish {
	struct str name; /* of both */
	struct tags tags;
	/* made: */
	uuid iam_role;
};
OPERATION(engine_create_managed_identity, managed_identity_wish)
/* With its instance profile, which its instances lose, its policies and what was assigned to it. */
OPERATION(engine_delete_managed_identity, iam_role_target)

struct profile_role {
	struct ref instance_profile, iam_role;
};
OPERATION(engine_add_role_to_profile, profile_role)      /* which is passed on by it; ERR_QUOTA: it has one */
OPERATION(engine_remove_role_from_profile, profile_role) /* ERR_NOT_FOUND: the profile does not have it */
