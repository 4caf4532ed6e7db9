/* SPDX-License-Identifier: Apache-2.0
 * Snapshot policies that select volumes or instances by tags, as DLM's do. They share rows, steps and retention with the policies of
 * one volume (snapshot_policy.h), and act with the rights of an execution role. A run takes a snapshot of each selected volume;
 * a volume that is refused does not hold up the others. Called by: api/dlm. */
#pragma once

#include "engine/operation.h"
#include "store/snapshot_policy.h"

enum {
	LIFECYCLE_POLICIES_MAX = 100, /* per account: DLM's quota */
	LIFECYCLE_KEPT_MAX = 1000,
	LIFECYCLE_YEARS_MAX = 100,
	LIFECYCLE_TAGS_MAX = 45,
	LIFECYCLE_TARGET_TAGS_MAX = 50,
	LIFECYCLE_RUN_MAX = 1000, /* snapshots of one run */
};

/* True for a policy that selects by tags. */
bool engine_is_lifecycle_policy(const struct snapshot_policy *policy);

/* "arn:aws:dlm:us-east-1:111122223333:policy/policy-0123456789abcdef0"; with an empty id the ARN's beginning. */
struct str engine_write_lifecycle_arn(struct arena *a, struct str region, struct str account_number,
				      struct str id);

/* Creates or changes a policy. ERR_INVALID, ERR_QUOTA. */
struct lifecycle_policy_wish {
	struct ref policy; /* to change */
	/* NULL: no change */
	const struct str *description, *role;
	enum choice is_active;
	/* targets, target_tags, schedule_name, every_hours, schedule, kept, kept_age, age_unit, copies_tags, added_tags, variable_tags,
	 * without_root; NULL: no change */
	const struct snapshot_policy *details;
	struct tags tags; /* only a new policy takes these */
	/* result: */
	uuid made;
};
OPERATION(engine_create_lifecycle_policy, lifecycle_policy_wish)
OPERATION(engine_update_lifecycle_policy, lifecycle_policy_wish)

/* Deletes a policy. Its snapshots stay. */
struct lifecycle_policy_target {
	struct ref policy;
};
OPERATION(engine_delete_lifecycle_policy, lifecycle_policy_target)

/* Sets and removes tags of a policy. ERR_QUOTA: more than 50. */
struct lifecycle_policy_tags {
	struct ref policy;
	struct tags set;
	struct strs removed; /* absent keys are fine */
};
OPERATION(engine_tag_lifecycle_policy, lifecycle_policy_tags)

/* Writes the expression of a schedule that begins at hour:minute in UTC and repeats every so many hours, a divisor of 24. */
struct str engine_write_hours(struct arena *a, int64_t every_hours, int64_t hour, int64_t minute);
/* Next time of a policy's schedule after after_us. ERR_INVALID: the time zone is unknown. */
RESULT engine_find_policy_time(struct ctx *c, const struct snapshot_policy *policy, int64_t after_us,
			       int64_t *ret_next_us);
