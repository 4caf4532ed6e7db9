/* SPDX-License-Identifier: Apache-2.0
 * Scaling groups: a number of instances that the region keeps. A group launches what is missing, terminates what is in
 * excess, and replaces what is unhealthy. Calls only change what is wanted; the reconciler takes turns
 * (reconcile/scaling/scaling_group.c), each of which is one change: an instance, its member row and the activity that
 * tells of it are written together, so a kill between two turns neither loses nor doubles a launch. The instances are
 * ordinary instances with the tag SCALING_TAG.
 *
 * Stages of a member (schema/scaling_member.toml):
 *   pending → [pending_wait → pending_proceed] → in_service ⇄ standby
 *   any of these → [terminating_wait → terminating_proceed] → terminating → gone
 * An instance of the warm pool ends in another stage, and comes into service by the same ones once it is drawn:
 *   pending → [pending_wait] → pending_proceed → warmed_stopped | warmed_running
 *   in_service → [terminating_wait] → pending, if the pool takes instances back */
#pragma once

#include "engine/operation.h"
#include "store/scaling_group.h"
#include "store/scaling_hook.h"
#include "store/scaling_member.h"
#include "store/scaling_policy.h"
#include "store/scaling_refresh.h"
#include "store/scaling_schedule.h"

struct alarm;
struct fleet_override;
struct later_guard;
struct launch_configuration;
struct launch_configuration_wish;
struct scaling_activity;

enum {
	SCALING_SIZE_MAX = 1000,
	SCALING_NAME_MAX = 255,
	SCALING_ACTIVITIES_MAX = 100, /* kept of a group, besides those in progress */
	SCALING_OVERRIDES_MAX = 40,
	SCALING_PLACES_MAX = 64,
	SCALING_TARGET_GROUPS_MAX = 50,
	SCALING_INSTANCES_MAX = 20, /* of one call */
	SCALING_REFRESHES_MAX = 20, /* kept of a group */
	SCALING_GRACE_DEFAULT_S = 0,
	SCALING_COOLDOWN_DEFAULT_S = 300
};

/* Texts of an override in scaling_group.overrides. */
enum { OVERRIDE_TYPE, OVERRIDE_WEIGHT, OVERRIDE_TEMPLATE, OVERRIDE_VERSION, OVERRIDE_TEXTS };

/* Template, overrides and places of a group's launches, borrowed from a row or from a request. */
struct scaling_source {
	uuid launch_configuration; /* none: a launch template, or the following */
	struct str form;           /* data of a launch configuration that has no row yet */
	uuid template;
	struct str version;
	struct strs overrides;
	struct uuids subnets, zones; /* subnets none: default subnets of the zones */
	struct str placement_group;
	bool is_mixed;
};
struct scaling_source engine_get_scaling_source(const struct scaling_group *group);
/* Launches are read for each override (one, if there is none) in each place: launch o in place p has the number
 * o * places + p. */
size_t engine_count_scaling_places(const struct scaling_source *source);
size_t engine_count_scaling_overrides(const struct scaling_source *source);

/* ---- groups ---- */

struct scaling_number {
	bool is_given;
	int64_t value;
};

/* Settings that a call gives; others stay. */
struct scaling_settings {
	struct scaling_number min, max, desired, grace_s, cooldown_s,
		warmup_s; /* warmup_s -1: none any more */
	bool has_source, has_places, has_policies, has_context, has_placement;
	struct ref launch_configuration, template; /* one of them */
	struct str version;
	bool is_mixed, by_price;
	struct strs overrides;
	int64_t on_demand_base, on_demand_percent;
	struct str spot_strategy;
	struct refs subnets, zones;
	struct str placement_group, context;
	enum choice checks_balancers, protects_new;
	struct strs policies; /* termination policies; none: Default */
	/* Launches of the new source and places, read by the face. The operation tries them and takes them back, so that
	 * a caller who may not launch is refused. */
	const struct fleet_override *launches;
	size_t launch_count;
	struct later_guard *guard;
};

/* A lifecycle hook, new or changed. */
struct scaling_hook_wish {
	struct ref group;
	struct str name;
	bool has_transition, is_terminating; /* required of a new hook */
	struct scaling_number timeout_s;
	enum choice abandons;
	struct str metadata, target,
		role; /* target: ARN of a queue or topic that gets messages; role: shown */
	bool has_metadata, has_target, has_role;
};
struct scaling_hooks {
	struct scaling_hook_wish *at;
	size_t count;
};

/* ERR_EXISTS; ERR_INVALID: sizes, zones; ERR_QUOTA. */
struct scaling_group_wish {
	struct str name;
	enum scaling_group_mode mode;
	struct scaling_settings settings;
	struct launch_configuration_wish
		*configuration; /* made with the group, which launches by it; NULL: none */
	struct refs target_groups;
	struct tags tags;
	struct strs propagated; /* keys of tags that instances get */
	struct scaling_hooks hooks;
	/* outputs: */
	uuid group;
};
OPERATION(engine_create_scaling_group, scaling_group_wish)

struct scaling_group_change {
	struct ref group;
	struct scaling_settings settings;
	bool by_set; /* a scale set's own change (scale_set.h), which alone may choose what the set launches */
};
/* ERR_STATE: it is being deleted. ERR_UNSUPPORTED: the source or the places of a scale set. */
OPERATION(engine_update_scaling_group, scaling_group_change)

struct scaling_desired {
	struct ref group;
	int64_t desired;
	bool honours_cooldown;
};
/* ERR_INVALID: beyond the group's sizes. ERR_CONFLICT: a cooldown is in effect, and it is to be honoured. */
OPERATION(engine_set_scaling_desired, scaling_desired)

struct scaling_group_target {
	struct ref group;
	bool is_forced; /* with its instances */
};
/* ERR_IN_USE: it has instances; ERR_CONFLICT: activities are in progress. */
OPERATION(engine_delete_scaling_group, scaling_group_target)

/* Processes by their names; none: all. */
struct scaling_processes {
	struct ref group;
	struct strs processes;
};
OPERATION(engine_suspend_scaling, scaling_processes)
OPERATION(engine_resume_scaling, scaling_processes)
bool engine_is_scaling_suspended(const struct scaling_group *group, const char *process);

/* Metrics of groups in the namespace AWS/AutoScaling. */
enum { SCALING_METRICS = 20 };
/* clang-format off */
#define SCALING_METRICS_EACH(SEPARATOR)                                                                      \
	"GroupMinSize" SEPARATOR "GroupMaxSize" SEPARATOR "GroupDesiredCapacity" SEPARATOR                   \
	"GroupInServiceInstances" SEPARATOR "GroupPendingInstances" SEPARATOR "GroupStandbyInstances" SEPARATOR \
	"GroupTerminatingInstances" SEPARATOR "GroupTotalInstances" SEPARATOR                                \
	"GroupInServiceCapacity" SEPARATOR "GroupPendingCapacity" SEPARATOR "GroupStandbyCapacity" SEPARATOR \
	"GroupTerminatingCapacity" SEPARATOR "GroupTotalCapacity" SEPARATOR                                  \
	"WarmPoolDesiredCapacity" SEPARATOR "WarmPoolWarmedCapacity" SEPARATOR                               \
	"WarmPoolPendingCapacity" SEPARATOR "WarmPoolTerminatingCapacity" SEPARATOR                          \
	"WarmPoolTotalCapacity" SEPARATOR "GroupAndWarmPoolDesiredCapacity" SEPARATOR                        \
	"GroupAndWarmPoolTotalCapacity"
/* clang-format on */
#define SCALING_METRICS_NAMESPACE "AWS/AutoScaling"
extern const char *const scaling_metrics[SCALING_METRICS];
/* Publishes metrics of a group, or stops it. Names: of scaling_metrics; none: all. */
struct scaling_collection {
	struct ref group;
	struct strs names;
};
OPERATION(engine_collect_scaling_metrics, scaling_collection)
OPERATION(engine_drop_scaling_metrics, scaling_collection)
/* Makes the rows of the metrics that the group publishes, and notes the day of their last datapoints. */
struct scaling_metrics_target {
	uuid group;
};
SYSTEM_OPERATION(engine_put_scaling_metrics, scaling_metrics_target)
/* Finds the metric of a group; NULL: no row, or one that is to be written again today. */
const struct metric *engine_find_scaling_metric(const struct tables *t, const struct scaling_group *group,
						struct str name, int64_t now_us);
/* Present values of all metrics of a group, in the order of scaling_metrics. */
void engine_count_scaling_metrics(const struct tables *t, const struct scaling_group *group,
				  double ret_values[static SCALING_METRICS]);

struct scaling_target_groups {
	struct ref group;
	struct refs target_groups;
	const char *permission;
};
OPERATION(engine_attach_scaling_targets, scaling_target_groups)
OPERATION(engine_detach_scaling_targets, scaling_target_groups)

struct scaling_tag {
	struct ref group;
	struct tag tag; /* a removal with a value: only with that value */
	bool propagates, with_value;
};
struct scaling_tags {
	const struct scaling_tag *at;
	size_t count;
};
OPERATION(engine_tag_scaling, scaling_tags)
OPERATION(engine_untag_scaling, scaling_tags)

/* ---- instances ---- */

/* Acts on instances of a group. ERR_NOT_FOUND with KIND_SCALING_MEMBER: one belongs to no group, or to another.
 * ERR_INVALID: the capacity would leave the group's sizes; ERR_STATE: the instance's stage forbids it. */
struct scaling_instances {
	struct ref group; /* kind none: the group of the first instance */
	struct refs instances;
	bool decrements; /* the desired capacity gets smaller; else another is launched */
	bool is_protected, is_unhealthy, respects_grace;
	/* outputs: */
	struct uuids activities;
};
OPERATION(engine_terminate_scaling_instance, scaling_instances)
OPERATION(engine_attach_scaling_instances, scaling_instances)
OPERATION(engine_detach_scaling_instances, scaling_instances)
OPERATION(engine_enter_scaling_standby, scaling_instances)
OPERATION(engine_exit_scaling_standby, scaling_instances)
OPERATION(engine_set_scaling_health, scaling_instances)
OPERATION(engine_set_scaling_protection, scaling_instances)

static inline bool scaling_member_ends(const struct scaling_member *m)
{
	return m->stage == SCALING_MEMBER_STAGE_TERMINATING ||
	       m->stage == SCALING_MEMBER_STAGE_TERMINATING_WAIT ||
	       m->stage == SCALING_MEMBER_STAGE_TERMINATING_PROCEED;
}
/* True if the member counts for the desired capacity. */
static inline bool scaling_member_counts(const struct scaling_member *m)
{
	return m->pool != SCALING_MEMBER_POOL_WARM && m->stage != SCALING_MEMBER_STAGE_STANDBY &&
	       !scaling_member_ends(m);
}
int64_t engine_count_scaling_units(const struct tables *t, uuid group);
/* The member of an instance, or NULL. */
const struct scaling_member *engine_find_scaling_member(const struct tables *t, uuid instance);

/* ---- lifecycle hooks ---- */

/* Texts of a hook in scaling_member.hooks. */
enum { WAIT_HOOK, WAIT_TOKEN, WAIT_UNTIL, WAIT_ABANDONS, WAIT_TEXTS };

OPERATION(engine_put_scaling_hook, scaling_hook_wish)
struct scaling_hook_target {
	struct ref group;
	struct str name;
	struct ref instance; /* for the following two: the instance, or the token */
	struct str token;
	bool abandons;
};
OPERATION(engine_delete_scaling_hook, scaling_hook_target)
/* ERR_NOT_FOUND with KIND_SCALING_HOOK; ERR_STATE: no instance waits for it. */
OPERATION(engine_complete_scaling_hook, scaling_hook_target)
OPERATION(engine_record_scaling_heartbeat, scaling_hook_target)

/* ---- warm pools ---- */

/* Creates the group's warm pool, or changes it; what is not given stays. ERR_UNSUPPORTED: the group is none of EC2's, or may launch
 * Spot Instances. ERR_STATE: the warm pool is being deleted. */
struct scaling_pool_wish {
	struct ref group;
	struct scaling_number min, max; /* max -1: the group's maximum size */
	bool has_state;
	enum scaling_group_pool_state state;
	enum choice reuses;
};
OPERATION(engine_put_scaling_pool, scaling_pool_wish)
struct scaling_pool_target {
	struct ref group;
	bool is_forced; /* hooks hold no instance */
};
/* ERR_STATE: the group has no warm pool. */
OPERATION(engine_delete_scaling_pool, scaling_pool_target)
/* Units in the warm pool, without those that are being terminated. */
int64_t engine_count_scaling_pool(const struct tables *t, uuid group);
/* Units that the warm pool is to have; 0: the group has none. */
int64_t engine_want_scaling_pool(const struct scaling_group *group);

/* ---- notifications ---- */

enum scaling_event {
	SCALING_EVENT_LAUNCH,
	SCALING_EVENT_LAUNCH_ERROR,
	SCALING_EVENT_TERMINATE,
	SCALING_EVENT_TERMINATE_ERROR,
	SCALING_EVENT_TEST,
	SCALING_EVENTS
};
/* Words of notification types, such as "autoscaling:EC2_INSTANCE_LAUNCH". */
extern const char *const scaling_events[SCALING_EVENTS];
/* Texts of a topic in scaling_group.notifications; types are separated by bars. */
enum { NOTIFICATION_TOPIC, NOTIFICATION_TYPES, NOTIFICATION_TEXTS };

/* Has a topic of the account told of these types of events, instead of those that were set for it before. */
struct scaling_notification_wish {
	struct ref group;
	struct str topic, types;
};
/* ERR_INVALID: there is no such topic. ERR_QUOTA. */
OPERATION(engine_put_scaling_notification, scaling_notification_wish)
OPERATION(engine_delete_scaling_notification, scaling_notification_wish)

/* ---- policies ---- */

struct scaling_policy_wish {
	struct ref group;
	struct str name;
	bool is_step, is_disabled;
	enum scaling_policy_adjustment adjustment;
	int64_t amount, least;
	struct scaling_number cooldown_s, warmup_s;
	struct str aggregation;
	struct strs steps; /* threes: lower and upper bound, adjustment */
	/* Target tracking: */
	bool tracks, keeps;
	struct str target, predefined; /* predefined empty: the customized metric of the following */
	struct str name_space, metric, statistic, unit;
	struct strs dimensions;
	int64_t period_s;
	struct str queries; /* alarm_queries_write(); instead of a metric */
	struct str region;  /* for the ARN that its alarms name */
	/* outputs: */
	uuid policy;
};
OPERATION(engine_put_scaling_policy, scaling_policy_wish)
struct scaling_policy_target {
	struct ref policy;
	bool honours_cooldown, has_metric;
	double metric, breach;     /* a step policy needs value and threshold of the alarm */
	const struct alarm *alarm; /* that has it executed; NULL: a call does */
};
OPERATION(engine_delete_scaling_policy, scaling_policy_target)
/* ERR_CONFLICT: a cooldown is in effect, or instances are warming up; ERR_STATE: it is disabled. */
OPERATION(engine_execute_scaling_policy, scaling_policy_target)
/* The capacity that an adjustment leads to, within the group's sizes. */
int64_t engine_adjust_scaling(const struct scaling_group *group, enum scaling_policy_adjustment adjustment,
			      int64_t amount, int64_t least);

/* True if an alarm's execution of the policy would change the desired capacity now. For a view. */
bool scaling_would_change(const struct tables *t, uuid policy, const struct scaling_policy_target *target,
			  int64_t now_us);

/* ---- scheduled actions ---- */

/* Creates a scheduled action, or replaces the one with that name. An absent number leaves the group's size unchanged. ERR_INVALID: no
 * size is given, or the sizes contradict each other. ERR_QUOTA. */
struct scaling_schedule_wish {
	struct ref group;
	struct str name, recurrence, time_zone;
	int64_t start_us, end_us;
	struct scaling_number min, max, desired;
	int64_t next_us;        /* first time, computed by the face */
	const char *permission; /* checked; NULL: that of PutScheduledUpdateGroupAction */
};
OPERATION(engine_put_scaling_schedule, scaling_schedule_wish)
struct scaling_schedule_target {
	struct ref group;
	struct str name;
	const char *permission; /* checked; NULL: that of DeleteScheduledAction */
};
OPERATION(engine_delete_scaling_schedule, scaling_schedule_target)
/* Applies a scheduled action whose time has come, and notes the next time; next_us 0: it is over and goes. */
struct scaling_schedule_due {
	uuid schedule;
	int64_t due_us, next_us;
};
SYSTEM_OPERATION(engine_run_scaling_schedule, scaling_schedule_due)
/* The first time of a recurrence after after_us, within its start and end; 0: there is none. */
int64_t engine_find_scaling_time(struct ctx *c, const struct scaling_schedule *schedule, int64_t after_us);

/* ---- instance refreshes ---- */

/* Starts replacing the group's instances. ERR_CONFLICT with KIND_SCALING_REFRESH: a refresh is active. ERR_INVALID: the group
 * could not be rolled back, as `rolls_back` asks. */
struct scaling_refresh_wish {
	struct ref group;
	struct scaling_settings settings; /* with a source: the desired configuration */
	struct scaling_refresh row;       /* preferences */
	/* outputs: */
	uuid refresh;
};
OPERATION(engine_start_scaling_refresh, scaling_refresh_wish)

/* ERR_NOT_FOUND with KIND_SCALING_REFRESH: none is active. ERR_STATE with it: a rollback is impossible. */
struct scaling_refresh_target {
	struct ref group;
	bool is_at_once; /* a cancellation waits for no launch or termination */
	/* outputs: */
	uuid refresh;
};
OPERATION(engine_cancel_scaling_refresh, scaling_refresh_target)
OPERATION(engine_roll_back_scaling_refresh, scaling_refresh_target)

/* The active refresh of a group, or NULL. */
const struct scaling_refresh *engine_find_scaling_refresh(const struct tables *t, uuid group);
/* Puts the desired configuration of an active refresh, and its asker, into a copy of the group's row. Returns the refresh for which
 * new instances are launched; none: the group launches as its row says. */
uuid engine_use_scaling_refresh(const struct tables *t, struct scaling_group *copy);

/* ---- launch configurations ---- */

/* ERR_EXISTS; ERR_QUOTA. */
struct launch_configuration_wish {
	struct str name;
	struct str data; /* EC2's parameters, as a form; a group that is made with them tries them */
	struct str sent; /* the caller's, to be shown */
	bool is_azure;   /* the data are a scale set's model, and the name follows from the id */
	/* outputs: */
	uuid configuration;
};
OPERATION(engine_create_launch_configuration, launch_configuration_wish)
struct launch_configuration_target {
	struct ref configuration;
};
/* ERR_IN_USE: a group launches by it. */
OPERATION(engine_delete_launch_configuration, launch_configuration_target)

/* ---- names ---- */

/* For example "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:UUID:autoScalingGroupName/web". */
struct str engine_write_scaling_arn(const struct tables *t, struct arena *a, struct str region,
				    struct str account_number, enum kind kind, const struct row *row);
bool engine_is_scaling_kind(enum kind kind);

/* ---- for the reconciler ---- */

enum scaling_turn {
	SCALING_WAIT,
	SCALING_LAUNCH,  /* units are missing */
	SCALING_DRAW,    /* units are missing that the warm pool has */
	SCALING_PREPARE, /* the warm pool lacks units */
	SCALING_SHED,    /* the warm pool has an instance in excess */
	SCALING_CLOSE,   /* the warm pool was deleted, and its last instance has ended */
	SCALING_SHRINK,  /* there are units in excess */
	SCALING_MEMBER,  /* something is to be done about an instance */
	SCALING_REFRESH, /* the instance refresh goes on */
	SCALING_FORGET   /* the group was deleted, and its last instance has ended */
};
/* *ret_due_us: when to look again if nothing changes; INT64_MAX: never. For a view. */
enum scaling_turn engine_find_scaling_turn(const struct tables *t, const struct scaling_group *group,
					   int64_t now_us, int64_t *ret_due_us);
/* The instance that goes next by the group's termination policies, of those with up to `units` units. NULL: none may. */
const struct scaling_member *engine_choose_scaling_member(const struct tables *t,
							  const struct scaling_group *group, int64_t units,
							  int64_t now_us);

/* Takes the next turn of a group. OK if the group is gone, or there is nothing to do. Launches as the one who chose what
 * the group launches. */
struct scaling_following {
	uuid group;
	struct later_guard *guard;
	struct fleet_override
		*launches; /* for SCALING_LAUNCH and SCALING_PREPARE, read again from the group's source */
	size_t count;
	uint64_t gen;  /* the group's gen when the launches were read */
	uuid refresh;  /* result of engine_use_scaling_refresh() at that time */
	bool has_read; /* false: `problem` says why they could not be read */
	struct str problem;
};
SYSTEM_OPERATION(engine_follow_scaling, scaling_following)
