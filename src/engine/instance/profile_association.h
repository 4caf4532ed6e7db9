/* SPDX-License-Identifier: Apache-2.0
 * Instance profiles on instances, which are rows only. An instance has at most one; the association
 * ends with the instance and with the profile. Whoever gives a profile passes its role on, which
 * needs the permission iam_role.pass. The metadata service then gives the guest credentials of the
 * role (api/metadata/). */
#pragma once

#include "engine/operation.h"
#include "model/profile_association.h"

struct instance_profile;

/* Gives an instance a profile, which is named by name or by ARN. ERR_INVALID with
 * KIND_INSTANCE_PROFILE: there is none. ERR_STATE with KIND_PROFILE_ASSOCIATION: the instance has
 * one; with KIND_INSTANCE: it is ending. */
struct profile_association_wish {
	struct ref instance, instance_profile;
	/* made: */
	uuid profile_association;
};
OPERATION(engine_associate_profile, profile_association_wish)

/* Replaces an instance's profile, which makes another association. */
struct profile_association_change {
	struct ref profile_association, instance_profile;
	/* made: */
	uuid made;
};
OPERATION(engine_replace_profile, profile_association_change)

struct profile_association_target {
	struct ref profile_association;
	/* made: as it was */
	struct profile_association before;
};
OPERATION(engine_disassociate_profile, profile_association_target)

/* ---- reading: on the head or on a view that is read ---- */

/* The profile that the instance has; NULL: none. */
const struct instance_profile *engine_find_profile_of(const struct tables *t, uuid instance);
