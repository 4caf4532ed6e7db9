/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/metric/: shared by the calls of Gnocchi. */
#pragma once

#include "api/openstack/core/action.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "engine/alarm/alarm.h"
#include "engine/alarm/gnocchi.h"
#include "reconcile/figures/metrics.h"

/* A metric as Gnocchi has it: one that the account created or published, or one that is made of a guest's figures. */
struct os_metric {
	const struct metric *row; /* NULL: the metric is made of a guest's figures */
	const struct instance *instance;
	size_t index; /* in metrics_of_ceilometer */
};
/* Finds a metric by its id. ERR_NOT_FOUND. */
RESULT os_metric_find(struct os_call *e, struct str id, struct os_metric *ret_metric);
/* Finds a resource; type: its word. ERR_NOT_FOUND. */
RESULT os_metric_find_resource(struct os_call *e, struct str type, struct str id,
			       struct gnocchi_resource *ret_resource);
/* Finds a metric of a resource by its name. ERR_NOT_FOUND. */
RESULT os_metric_find_named(struct os_call *e, struct str resource, struct str name,
			    struct os_metric *ret_metric);
uuid os_metric_id(const struct os_metric *m);
/* NULL: it is none of Ceilometer's. */
const struct metric_ec2 *os_metric_figure(const struct os_metric *m);
/* Calls each for the metrics of a resource: those of the guest, and those that were created for it. */
RESULT os_metric_each_of(struct os_call *e, const struct gnocchi_resource *r,
			 RESULT (*each)(struct os_call *e, void *arg, const struct os_metric *m), void *arg);
/* Writes a metric as an object. is_whole: with its resource and archive policy, as one metric is shown. */
void os_metric_write(struct os_call *e, struct json_writer *w, const char *key, const struct os_metric *m,
		     bool is_whole);
/* Name of a metric; empty: none. */
struct str os_metric_name(const struct os_metric *m);

/* ---- archive policies, which are fixed ---- */

struct os_archive_policy {
	const char *name, *methods; /* "mean|min|…" */
	int64_t minutes_us; /* age up to which the region has minutes; five minutes last for FIGURES_SHORT_KEPT_US */
	int64_t hours_us;
};
const struct os_archive_policy *os_archive_policy_find(struct str name);
const struct os_archive_policy *os_archive_policy_of(const struct os_metric *m);
void os_archive_policy_write(struct os_call *e, struct json_writer *w, const char *key,
			     const struct os_archive_policy *policy);

/* ---- resources ---- */

/* Reads a search in words, as the stock command sends it, into JSON: one comparison, or several with "and" between them.
 * *ret_query is the caller's, whatever the result. ERR_INVALID. */
RESULT os_metric_read_filter(struct os_call *e, struct str text, json_t **ret_query);

/* Writes the resource as an object named key, or as an element of a list with key NULL. */
void os_metric_write_resource(struct os_call *e, struct json_writer *w, const char *key,
			      const struct gnocchi_resource *r);
