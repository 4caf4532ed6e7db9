/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/alarming/: shared by the calls of Aodh. */
#pragma once

#include "api/openstack/core/action.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "engine/alarm/alarm.h"
#include "engine/alarm/json_search.h"

/* A threshold rule as it was sent. */
struct aodh_rule {
	int64_t granularity, periods;
	struct str comparison, threshold, method, metric, resource, type, query;
	struct strs metrics;
};
/* Members of an alarm's body that the rules need. */
struct aodh_rules {
	struct aodh_rule resource, resources, metrics;
	bool has_resource, has_resources, has_metrics;
	struct str composite; /* JSON; empty: none */
};
extern const struct params aodh_resource_params, aodh_resources_params, aodh_metrics_params;

/* Fills in the alarm's rule of that type: what it watches, and the rule as answers show it. ERR_INVALID. */
RESULT os_aodh_read_rule(struct os_call *e, struct str type, const struct aodh_rules *rules,
			 struct alarm *alarm);

/* Fills in a composite alarm: its rule, and the threshold rules within it. ERR_INVALID. */
RESULT os_aodh_read_composite(struct os_call *e, struct str json, struct aodh_alarm_wish *wish);

/* Words of an alarm's type: "gnocchi_resources_threshold". */
const char *os_aodh_type_word(const struct alarm *alarm);
/* True for alarms that Aodh shows. */
bool os_aodh_has(const struct alarm *alarm);
/* The alarm that a call names. ERR_NOT_FOUND. */
RESULT os_aodh_find(struct os_call *e, const struct ref *ref, const struct alarm **ret_alarm);
/* Writes a list of the project's alarms that match, the oldest first. */
struct os_aodh_page {
	struct str filter, order; /* JSON; empty: none */
	const json_t *query;      /* checked; NULL: all */
	struct str marker, sort;
	int64_t limit; /* 0: all */
};
RESULT os_aodh_write_alarms(struct os_call *e, const struct os_aodh_page *page, struct json_writer *w);
struct json_search os_aodh_search(struct os_call *e);
