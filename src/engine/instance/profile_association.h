/* SPDX-License-Identifier: Apache-2.0
 * Associations of instances with instance profiles. An instance has at most one; it ends with the instance or
 * the profile. Associating passes the profile's role, which needs the permission iam_role.pass. The metadata
 * service then gives the guest credentials of the role (api/metadata/). */
#pragma once

#include "engine/operation.h"
#include "model/profile_association.h"

struct instance_profile;

/* Gives an instance a profile, by name or ARN. ERR_INVALID with KIND_INSTANCE_PROFILE: unknown profile.
 * ERR_STATE with KIND_PROFILE_ASSOCIATION: the instance has one; with KIND_INSTANCE: the instance is
 * terminating. */
struct profile_association_wish {
	struct ref instance, instance_profile;
	/* outputs: */
	uuid profile_association;
};
OPERATION(engine_associate_profile, profile_association_wish)

/* Replaces an instance's profile; the association gets a new id. */
struct profile_association_change {
	struct ref profile_association, instance_profile;
	/* outputs: */
	uuid made;
};
OPERATION(engine_replace_profile, profile_association_change)

struct profile_association_target {
	struct ref profile_association;
	/* outputs: the former row */
	struct profile_association before;
};
OPERATION(engine_disassociate_profile, profile_association_target)

/* ---- reading, on any tables ---- */

/* The instance's profile, or NULL. */
const struct instance_profile *engine_find_profile_of(const struct tables *t, uuid instance);
