/* SPDX-License-Identifier: Apache-2.0
 * Alarms of CloudWatch, and the metrics that accounts publish. An alarm compares the newest datapoints of a metric with a
 * threshold; a composite alarm follows the states of other alarms. reconcile/alarm/alarm.c reads the datapoints, lets
 * alarm_weigh() decide, and changes the row only when the state changes. The change of state and the actions are two
 * commits: alarm.is_due remembers what is still to be done, so a kill between them loses no action and takes none twice.
 * Actions run with the present rights of the user who put the alarm. */
#pragma once

#include "engine/operation.h"
#include "store/alarm.h"
#include "store/alarm_delivery.h"
#include "store/alarm_event.h"
#include "store/metric.h"

struct later_guard;
struct scaling_policy;

enum {
	ALARM_NAME_MAX = 255,
	ALARM_ACTIONS_MAX = 5,
	ALARM_EVENTS_MAX = 100, /* kept of an alarm */
	ALARM_RULE_MAX = 10240,
	ALARM_RULE_ALARMS_MAX = 100, /* named in a rule */
	ALARM_RULE_DEPTH_MAX =
		20, /* of parentheses and NOT in a rule, and of composite alarms upon each other */
	ALARM_PERIODS_MAX = 1440,
	ALARM_EXTRA_PERIODS = 5,    /* older periods that stand in for missing ones */
	ALARM_DELIVERIES_MAX = 100, /* requests of an alarm that wait */
	METRIC_KEY_SIZE = 65,
	METRIC_KEPT_DAYS = 15
};

/* ---- alarms ---- */

/* Everything that a put says; the row keeps state and history. Lists are ARNs. */
struct alarm_wish {
	struct alarm row; /* the [wanted] fields, without account and asker */
	/* outputs: */
	uuid alarm;
};
/* Creates an alarm, or replaces its configuration. ERR_INVALID: an action is none that the region takes, a rule names an
 * alarm that is absent, or leads back to the alarm. ERR_QUOTA. */
OPERATION(engine_put_alarm, alarm_wish)

struct alarms_target {
	struct refs alarms;
	bool acts; /* of engine_set_alarm_actions */
};
/* ERR_IN_USE: a composite alarm that stays names one. ERR_PROTECTED: a scaling policy owns one. */
OPERATION(engine_delete_alarms, alarms_target)
OPERATION(engine_set_alarm_actions, alarms_target)

struct alarm_setting {
	struct ref alarm;
	enum alarm_state state;
	struct str reason, data;
};
/* Sets a state until the next evaluation, and has its actions taken. */
OPERATION(engine_set_alarm_state, alarm_setting)

/* ---- Aodh's ---- */

enum { AODH_PERIODS_MAX = 100, AODH_PARTS_MAX = 20 /* threshold rules in a composite one */ };

struct aodh_alarm_wish {
	struct ref alarm; /* of a change */
	struct alarm row; /* the [wanted] fields, title without name, and the state */
	bool has_state;   /* a change sets the state */
	/* Threshold rules of a composite alarm; row.rule names them "#1", "#2". */
	const struct alarm *parts;
	size_t part_count;
	/* outputs: */
	uuid made;
};
/* Titles need not be unique. ERR_INVALID: an action is none that Aodh's alarms take. ERR_QUOTA. */
OPERATION(engine_create_aodh_alarm, aodh_alarm_wish)
OPERATION(engine_change_aodh_alarm, aodh_alarm_wish)

/* Reports on one try of a request. */
struct alarm_delivery_report {
	uuid delivery;
	bool is_taken, is_final; /* is_final: it is given up */
	int64_t retry_us;
	struct str problem;
};
SYSTEM_OPERATION(engine_see_alarm_delivery, alarm_delivery_report)

/* Reason of an alarm that was not evaluated yet, and of one whose state a call has set. */
#define AODH_REASON_NEW "Not evaluated yet"
#define AODH_REASON_SET "Manually set via API"
const char *aodh_state_word(enum alarm_state state); /* "insufficient data" */
/* True for alarms that CloudWatch shows: its own, and those of other dialects that it could have made. */
bool alarm_suits_cloudwatch(const struct alarm *alarm);

/* For example "arn:aws:cloudwatch:us-east-1:111122223333:alarm:cpu". */
struct str engine_write_alarm_arn(struct arena *a, struct str region, struct str account_number,
				  const struct row *row);
const char *alarm_state_word(enum alarm_state state);                /* "OK" */
const char *alarm_comparison_word(enum alarm_comparison comparison); /* "GreaterThanThreshold" */
const char *alarm_treatment_word(enum alarm_missing missing);        /* "notBreaching" */
/* Makes or changes both alarms of a target tracking policy of that group. action: the policy's ARN. */
RESULT alarm_put_tracking(struct op *op, const struct scaling_policy *policy, struct str group,
			  struct str action);
/* Creates an alarm that a scaling policy owns: next->scaling_policy. ERR_QUOTA. */
RESULT alarm_put_owned(struct op *op, struct alarm *next);
RESULT alarm_forget_tracking(struct op *op, uuid policy);

/* ---- for the reconciler ---- */

/* What came of an evaluation. */
struct alarm_verdict {
	bool stays; /* nothing changes */
	enum alarm_state state;
	struct str reason, data;
};

/* A period of the evaluation range. */
struct alarm_point {
	int64_t at_us;
	bool is_there;
	double value;
	bool has_few_samples; /* too few for the alarm's percentile */
};
/* Decides on the points of evaluation_periods + ALARM_EXTRA_PERIODS periods at most, the oldest first. now_us: the time that
 * reason_data names. Pure; texts are in the arena. */
RESULT alarm_weigh(struct arena *a, const struct alarm *alarm, const struct alarm_point *points, size_t count,
		   int64_t now_us, struct alarm_verdict *ret_verdict);
bool alarm_breaches(const struct alarm *alarm, double value);

/* Notes a verdict, if the row still has that gen. */
struct alarm_seen {
	uuid alarm;
	uint64_t gen;
	struct alarm_verdict verdict;
};
SYSTEM_OPERATION(engine_see_alarm, alarm_seen)

/* Takes the actions of the alarm's state. */
struct alarm_acting {
	uuid alarm;
	struct later_guard *guard;
	bool has_value; /* the newest datapoint, for step and target tracking policies */
	double value;
};
SYSTEM_OPERATION(engine_act_on_alarm, alarm_acting)
/* True if a scaling policy of an alarm that is in ALARM still has something to change. For a view. */
bool engine_has_alarm_work(const struct tables *t, const struct alarm *alarm,
			   const struct alarm_acting *acting, int64_t now_us);

/* ---- rules of composite alarms; pure ---- */

/* Reads a rule. find(): the state of an alarm by name; false: there is none. ERR_INVALID with a message: the text is no rule,
 * too deep, or names an absent alarm, whose name is then the problem's subject. */
struct alarm_rule_names {
	bool (*find)(void *arg, struct str name, enum alarm_state *ret_state);
	void *arg;
};
RESULT alarm_rule_read(struct ctx *c, struct str rule, const struct alarm_rule_names *names, bool *ret_holds);
/* Evaluates a composite alarm on rows. */
RESULT alarm_rule_weigh(struct ctx *c, const struct tables *t, const struct alarm *alarm, bool *ret_holds);

/* ---- metrics of accounts ---- */

struct metric_name {
	struct str name_space, name, unit;
	struct strs dimensions; /* of each two: name and value, in order of names */
	uuid metric;            /* output */
};
/* Finds or makes the rows of metrics to which datapoints are added. ERR_QUOTA. */
struct metrics_wish {
	struct metric_name *at;
	size_t count;
};
OPERATION(engine_put_metrics, metrics_wish)
/* Gnocchi's metrics exist before they have datapoints. */
struct gnocchi_metric_wish {
	struct str name, unit, archive_policy;
	struct str resource; /* id; empty: it is of none */
	uuid metric;         /* metric that is deleted; output of a creation */
};
/* ERR_EXISTS: the resource has a metric of that name. ERR_QUOTA. */
OPERATION(engine_create_gnocchi_metric, gnocchi_metric_wish)
OPERATION(engine_delete_gnocchi_metric, gnocchi_metric_wish)
/* Notes that datapoints arrive. */
struct gnocchi_metrics_target {
	struct uuids metrics;
};
OPERATION(engine_touch_gnocchi_metrics, gnocchi_metrics_target)
/* Finds or makes the row of one metric, inside an operation; the row is written for a new metric, and once a day. is_limited: a
 * new metric counts for the account's limit. ERR_QUOTA. */
RESULT alarm_put_metric(struct op *op, uuid account, struct metric_name *name, bool is_limited);
/* Forgets a metric without datapoints for METRIC_KEPT_DAYS. */
struct metric_target {
	uuid metric;
};
SYSTEM_OPERATION(engine_expire_metric, metric_target)
bool engine_is_metric_old(const struct metric *metric, int64_t now_us);
/* The digest in metric.key. */
void engine_write_metric_key(struct str name_space, struct str name, const struct strs *dimensions,
			     char out[METRIC_KEY_SIZE]);
/* The account's metric of that name and unit; NULL: there is none. */
const struct metric *engine_find_metric(const struct tables *t, uuid account, struct str name_space,
					struct str name, const struct strs *dimensions, struct str unit);
/* The metrics of that name, one of each unit; NULL: there are no more. */
const struct metric *engine_first_metric(const struct tables *t, uuid account, struct str name_space,
					 struct str name, const struct strs *dimensions);
const struct metric *engine_next_metric(const struct tables *t, const struct metric *metric);
