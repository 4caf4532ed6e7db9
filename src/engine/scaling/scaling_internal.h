/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: transitions of scaling groups and their members. Everything here runs inside an operation, and asks for
 * no permission. */
#pragma once

#include "engine/internal.h"
#include "engine/scaling/scaling.h"
#include "store/scaling_activity.h"

/* ---- groups ---- */

/* A group that is not being deleted, with the permission. ERR_STATE. */
RESULT scaling_find(struct op *op, const struct ref *ref, const char *permission,
		    const struct scaling_group **ret_group);
/* Sets the desired capacity; `why` is the sentence of later causes, without its time. */
RESULT scaling_set_desired(struct op *op, struct scaling_group *next, int64_t desired, struct str why);
/* Lets the next launch follow at once. A launch is followed by a pause, and a failed one by a longer pause, so that instances
 * that keep failing are not replaced in a loop. A user's call that takes an instance out of service is no such failure. */
RESULT scaling_end_pause(struct op *op, uuid group);
/* "At 2026-11-28T10:00:00Z " and the words. */
struct str scaling_say_at(struct op *op, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool scaling_has_word(const struct strs *list, const char *word);
/* Runs as the system, for effects that the group's owner configured and that its caller need not be allowed. */
RESULT scaling_as_system(struct op *op, op_run run, void *arg);

/* Forgets a group without members, and the model of a scale set. */
RESULT scaling_forget_group(struct op *op, uuid id);

/* ---- scale sets ---- */

struct instance_launch;
struct scale_set_launch;
/* Forgets a model that no set has any more. Launch configurations of EC2 stay. */
RESULT scaling_drop_model(struct op *op, uuid configuration);
/* Launches an instance, and makes a machine of a scale set of it if `set` is given. *ret_number: its number in the set. */
RESULT scaling_launch_machine(struct op *op, const struct scaling_group *group,
			      const struct scale_set_launch *set, struct instance_launch *launch,
			      int64_t *ret_number);

/* ---- activities ---- */

struct activity_wish {
	uuid group;
	const struct instance *instance; /* NULL: none */
	enum scaling_activity_status status;
	struct str description, cause, message;
};
/* Records an activity, and forgets the oldest of too many. */
RESULT scaling_begin_activity(struct op *op, const struct activity_wish *wish, uuid *ret_activity);
/* Ends an activity, or changes its status; an unknown id is fine. */
RESULT scaling_set_activity(struct op *op, uuid activity, enum scaling_activity_status status,
			    const char *message);

/* ---- instance refreshes ---- */

enum refresh_act {
	REFRESH_REST,
	REFRESH_NOTE,   /* the row changes */
	REFRESH_REPLACE /* an instance is terminated, and another takes its place */
};
struct refresh_plan {
	enum refresh_act act;
	struct scaling_refresh next;         /* REFRESH_NOTE: the row from now on */
	const struct scaling_member *member; /* REFRESH_REPLACE */
	int64_t surge;                       /* units that the group has beyond its desired capacity */
	int64_t due_us;                      /* when to look again; INT64_MAX: when something changes */
};
/* Decides how the refresh of a group goes on. Without an active one: REFRESH_REST. */
void scaling_plan_refresh(const struct tables *t, const struct scaling_group *group, int64_t now_us,
			  struct refresh_plan *ret_plan);
/* True if the refresh is to replace the member. */
bool scaling_is_stale(const struct tables *t, const struct scaling_group *group,
		      const struct scaling_refresh *refresh, const struct scaling_member *m);
/* Turns the refresh around: the instances that it launched are replaced from now on. */
void scaling_begin_rollback(const struct tables *t, struct scaling_refresh *next,
			    enum scaling_refresh_rollback_why why, int64_t now_us);
/* Carries out the plan. */
RESULT scaling_follow_refresh(struct op *op, const struct scaling_group *group);
/* Ends the refresh of a group that is being deleted. */
RESULT scaling_drop_refresh(struct op *op, uuid group);
/* Chooses what a group launches, and tries it as the caller. */
RESULT scaling_choose_source(struct op *op, const struct scaling_settings *s, struct scaling_group *next);

/* ---- members ---- */

/* Begins the termination. is_at_once: hooks do not hold it. */
RESULT scaling_member_terminate(struct op *op, const struct scaling_member *m, struct str cause,
				bool is_at_once, uuid *ret_activity);
/* Takes the member out of service, and has it return into the warm pool once no hook holds it. */
RESULT scaling_member_return(struct op *op, const struct scaling_member *m, struct str cause);
/* Writes the stage, and when it was entered. */
RESULT scaling_put_stage(struct op *op, struct scaling_member *next, enum scaling_member_stage stage);
/* Puts the member into service. */
RESULT scaling_member_arrive(struct op *op, const struct scaling_member *m);
/* Goes on from a stage that waits for hooks. */
RESULT scaling_member_proceed(struct op *op, const struct scaling_member *m);
/* Registers the instance in the group's target groups, or takes it out of them. Refusals are an event of the group. */
RESULT scaling_member_register(struct op *op, const struct scaling_group *group, uuid instance,
			       bool is_registered);
RESULT scaling_member_register_in(struct op *op, const struct scaling_group *group, uuid target_group,
				  uuid instance, bool is_registered);
/* Forgets the member of an instance that leaves the account. */
RESULT scaling_leave_instance(struct op *op, uuid instance);

/* ---- warm pools ---- */

static inline bool scaling_is_warm(const struct scaling_member *m)
{
	return m->pool == SCALING_MEMBER_POOL_WARM;
}
/* True if the member counts for the warm pool. */
static inline bool scaling_pool_counts(const struct scaling_member *m)
{
	return scaling_is_warm(m) && !scaling_member_ends(m);
}
/* The ready instance of the pool that goes into service next; NULL: there is none. */
const struct scaling_member *scaling_find_drawn(const struct tables *t, const struct scaling_group *group);
/* The instance that leaves the pool next: one in excess, or one that an instance refresh replaces. NULL: none. */
const struct scaling_member *scaling_find_shed(const struct tables *t, const struct scaling_group *group,
					       bool only_stale);
/* True if a deleted pool has no member left. */
bool scaling_is_pool_over(const struct tables *t, const struct scaling_group *group);
/* True if an instance that leaves service is to return into the pool. */
bool scaling_takes_back(const struct tables *t, const struct scaling_group *group);
/* ERR_INVALID: a group with a warm pool would launch Spot Instances. */
RESULT scaling_check_pool(struct op *op, const struct scaling_group *next);
/* Carry out the turns. */
RESULT scaling_draw(struct op *op, const struct scaling_group *group);
RESULT scaling_shed(struct op *op, const struct scaling_group *group);
RESULT scaling_close_pool(struct op *op, const struct scaling_group *group);
/* Puts the instance of a pool to rest after its hooks: stops it, or leaves it running. */
RESULT scaling_pool_rest(struct op *op, const struct scaling_member *m);
/* Notes that the instance is ready. */
RESULT scaling_pool_ready(struct op *op, const struct scaling_member *m, enum scaling_member_stage stage);

/* ---- hooks ---- */

/* The hooks that hold a transition, as scaling_member.hooks has them. */
RESULT scaling_find_hooks(struct op *op, uuid group, bool is_terminating, struct strs *ret_waits);
/* Writes a hook of the group. */
RESULT scaling_put_hook(struct op *op, uuid group, const struct scaling_hook_wish *wish);
/* Time of the first deadline; INT64_MAX: it waits for none. */
int64_t scaling_hooks_due(const struct scaling_member *m);
/* Takes the hooks out that are past their deadline, with their default result. */
RESULT scaling_expire_hooks(struct op *op, struct scaling_member *next);

/* ---- notifications ---- */

/* Tells the group's topics that want to know. */
RESULT scaling_notify(struct op *op, uuid group, enum scaling_event event, uuid activity);
/* Members of an activity, and of a hook that holds an instance, as messages and events have them. */
struct json_writer;
void scaling_write_activity(struct op *op, struct json_writer *j, const struct scaling_activity *a,
			    bool is_error);
void scaling_write_hook(struct op *op, struct json_writer *j, const struct scaling_group *group,
			const struct scaling_hook *hook, uuid instance, struct str token);
/* Origin and destination of an instance that is launched or terminated: EC2, the group or its warm pool. */
void scaling_write_way(struct op *op, struct json_writer *j, uuid instance, bool ends);
/* The same for the account's event bus. */
RESULT scaling_publish(struct op *op, const struct scaling_group *group, enum scaling_event event,
		       const struct scaling_activity *activity);
RESULT scaling_publish_hook(struct op *op, const struct scaling_group *group, const struct scaling_hook *hook,
			    uuid instance, struct str token);
/* Tells the targets of the hooks that the member waits for. */
RESULT scaling_notify_hooks(struct op *op, const struct scaling_member *m);
/* Takes target and role of a hook, and sends a test message to a new target. */
RESULT scaling_apply_hook_target(struct op *op, const struct scaling_group *group,
				 const struct scaling_hook_wish *wish, struct scaling_hook *next);
