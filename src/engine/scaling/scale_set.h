/* SPDX-License-Identifier: Apache-2.0
 * Azure's scale sets, which are scaling groups (scaling.h) of the modes uniform and flexible. A set's launch configuration is its
 * model, in the dialect of Azure; a change of the model makes another launch configuration, so that a member's configuration says
 * whether it has the latest model. The machines of a flexible set are named in the set's resource group, those of a uniform set have
 * numbers in the set. */
#pragma once

#include "engine/instance/azure_guest.h"
#include "engine/instance/key_pair.h"
#include "engine/scaling/scaling.h"
#include "engine/virtual/balancer_set.h"

/* Policy, sets and pools of one interface of a machine, by its device index. */
struct scale_set_port {
	struct ref policy;
	struct refs sets;
	const struct balanced_pool *pools;
	size_t pool_count;
};

/* Parts of a machine that are made beside its instance (struct fleet_override.set). */
struct scale_set_launch {
	struct str computer_prefix;
	bool has_profile, has_key;
	struct azure_profile_wish profile; /* .instance and .computer_name are filled in for each machine */
	struct key_pair_wish key;          /* created if the account has no key pair of that name */
	const struct scale_set_port *ports;
	size_t port_count;
	struct str definition; /* stored members of a flexible set's machine (struct arm_resource_wish) */
};

static inline bool scaling_is_set(const struct scaling_group *group)
{
	return group->mode != SCALING_GROUP_MODE_GROUP;
}

/* Creates a scale set with its model, or changes it. ERR_EXISTS; ERR_QUOTA; ERR_STATE: the set is being deleted. */
struct scale_set_wish {
	struct ref set; /* kind none: a new one */
	struct str name;
	enum scaling_group_mode mode;
	bool has_model; /* required of a new set */
	struct str model;
	struct scaling_settings settings; /* its source is filled in from the model */
	enum scale_set_upgrade {
		SCALE_SET_MANUAL, /* machines keep their model until they are upgraded */
		SCALE_SET_UPGRADE /* a changed model starts an upgrade as `upgrade` says */
	} how;
	struct scaling_refresh upgrade;
	/* outputs: */
	uuid id;
};
OPERATION(engine_put_scale_set, scale_set_wish)

/* The latest model of a set, or NULL: another face chose what the set launches. */
struct launch_configuration;
const struct launch_configuration *engine_find_scale_set_model(const struct tables *t,
							       const struct scaling_group *set);
/* True if the member was launched by the present model. */
bool engine_has_latest_model(const struct tables *t, const struct scaling_group *set,
			     const struct scaling_member *m);
/* The member with that number, or NULL. */
const struct scaling_member *engine_find_set_member(const struct tables *t, uuid set, int64_t number);

/* Returns the state of a set: -1: it is still changing; 0: it has what was asked of it; 1: launches fail, and *ret_problem says why.
 * For any tables. */
int engine_weigh_scale_set(const struct tables *t, const struct scaling_group *set, struct str *ret_problem);
