/* SPDX-License-Identifier: Apache-2.0
 * Azure's autoscale settings on scaling groups (scaling.h). A setting has profiles, and one of them is in effect: its capacity
 * limits the scale set, and its rules are the enabled ones among the scaling policies that the setting owns. */
#pragma once

#include "engine/scaling/scaling.h"
#include "store/alarm.h"
#include "store/autoscale_setting.h"

enum {
	AUTOSCALE_SETTING_PROFILES_MAX = 20, /* Azure's limits */
	AUTOSCALE_SETTING_RULES_MAX = 10     /* in each profile */
};

/* Texts of a profile in autoscale_setting.profiles. */
enum {
	SETTING_NAME,
	SETTING_MIN,
	SETTING_MAX,
	SETTING_DEFAULT,
	SETTING_CRON,
	SETTING_ZONE,
	SETTING_FROM,
	SETTING_UNTIL,
	SETTING_TEXTS
};

/* A rule of a profile: a simple scaling policy with one alarm on the machines of the set. */
struct autoscale_rule {
	size_t profile;
	const char *metric, *statistic; /* CloudWatch's */
	struct str threshold;
	enum alarm_comparison comparison;
	int64_t window_s;
	enum scaling_policy_adjustment adjustment;
	int64_t amount, cooldown_s;
};

/* Creates the setting of a scale set, or replaces what it says. ERR_EXISTS: the scale set has another one. ERR_QUOTA. */
struct autoscale_setting_wish {
	struct ref setting; /* kind none: a new one */
	struct str name;
	struct ref target;
	bool is_enabled;
	struct strs profiles;
	const struct autoscale_rule *rules;
	size_t rule_count;
	int64_t profile, next_us; /* chosen by engine_choose_autoscale_profile() */
	/* outputs: */
	uuid id;
};
OPERATION(engine_put_autoscale_setting, autoscale_setting_wish)
/* Ends the limits of the scale set, and deletes the rules. */
struct autoscale_setting_target {
	struct ref setting;
};
OPERATION(engine_delete_autoscale_setting, autoscale_setting_target)

/* Finds the profile in effect at that time: one with a fixed date, else the recurring one that began last, else the one without
 * a time; -1: there is none. *ret_next_us: when that may change; 0: never. Reads time zones. ERR_INVALID: an unknown one. */
RESULT engine_choose_autoscale_profile(struct ctx *c, const struct strs *profiles, int64_t now_us,
				       int64_t *ret_profile, int64_t *ret_next_us);

/* ---- for the reconciler ---- */

struct autoscale_setting_due {
	uuid setting;
	int64_t due_us, profile, next_us;
};
SYSTEM_OPERATION(engine_turn_autoscale_setting, autoscale_setting_due)
