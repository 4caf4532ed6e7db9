/* SPDX-License-Identifier: Apache-2.0
 * IAM's roles, and the instance profiles that give them to instances. Keystone's roles are in role.h. Callers
 * check trust policies first (auth/policy/policy.h). Requires the account's owner, a manager or a policy. */
#pragma once

#include "engine/operation.h"

enum {
	IAM_ROLES_MAX = 1000, /* per account; also limits instance profiles */
	SESSION_S_MIN = 900,
	SESSION_S_MAX = 43200,
	SESSION_S_ABSENT = 3600, /* maximum session length if the role does not set one */
};

#define IAM_LINKED_PATH "/aws-service-role/"
struct iam_role;
/* True if the role belongs to a service. */
bool iam_role_is_linked(const struct iam_role *role);

struct iam_role_wish {
	struct str name, path, description, trust; /* path empty: "/" */
	int64_t session_max_s;                     /* 0: SESSION_S_ABSENT */
	struct tags tags;
	struct ref boundary; /* none: no boundary */
	/* result: */
	uuid iam_role;
};
OPERATION(engine_create_iam_role, iam_role_wish)

struct iam_role_change {
	struct ref iam_role;
	const struct str *description; /* NULL: no change */
	struct str trust;              /* empty: no change */
	int64_t session_max_s;         /* 0: no change */
};
OPERATION(engine_update_iam_role, iam_role_change)
OPERATION(engine_update_iam_role_trust, iam_role_change)

/* Deletes a role. ERR_IN_USE: the role has policies, or an instance profile contains it. */
struct iam_role_target {
	struct ref iam_role;
};
OPERATION(engine_delete_iam_role, iam_role_target)

/* A role that belongs to a service: only the service's principal may assume it, and nobody in the account changes it
 * but for its description. ERR_EXISTS: the account has it. */
struct linked_role_wish {
	struct str name, path, description, trust; /* path: IAM_LINKED_PATH and the service's principal */
	/* result: */
	uuid iam_role;
};
OPERATION(engine_create_linked_role, linked_role_wish)
OPERATION(engine_delete_linked_role, iam_role_target) /* ERR_NOT_FOUND: no such role, or no service's */

/* NULL: the account has no role of that ARN. */
const struct iam_role *iam_role_find_arn(const struct tables *t, uuid account, struct str arn);
/* Checks that the account has the role of that ARN, that the caller may pass it to the service of that principal, and that its trust policy
 * lets the service assume it. ERR_INVALID with the kind and field of what the role is for. */
RESULT iam_role_permit_pass(struct op *op, uuid account, struct str arn, struct str service, enum kind kind,
			    struct str field);

struct instance_profile_wish {
	struct str name, path;
	struct tags tags;
	/* result: */
	uuid instance_profile;
};
OPERATION(engine_create_instance_profile, instance_profile_wish)

/* Deletes a profile. ERR_IN_USE: the profile contains a role. Instances with the profile lose it. */
struct instance_profile_target {
	struct ref instance_profile;
};
OPERATION(engine_delete_instance_profile, instance_profile_target)

/* Azure's managed identities: a role that only instances can assume, with an instance profile of the same
 * name. The role starts without permissions. */
struct managed_identity_wish {
	struct str name; /* for role and profile */
	struct tags tags;
	/* result: */
	uuid iam_role;
};
OPERATION(engine_create_managed_identity, managed_identity_wish)
/* Deletes the role with its instance profile, its policies and its assignments. The instances lose the
 * identity. */
OPERATION(engine_delete_managed_identity, iam_role_target)

struct profile_role {
	struct ref instance_profile, iam_role;
};
OPERATION(engine_add_role_to_profile, profile_role)      /* passes the role on (iam:PassRole); ERR_QUOTA: the
							  * profile has a role */
OPERATION(engine_remove_role_from_profile, profile_role) /* ERR_NOT_FOUND: the profile lacks the role */
