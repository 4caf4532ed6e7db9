/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/openstack/: metrics of servers. The readers are pure. */
#pragma once

#include "drivers/remote/json.h"

enum { GNOCCHI_SERIES_MAX = 600, GNOCCHI_ID_MAX = 36 };

/* A metric of Gnocchi that belongs to a machine. */
struct gnocchi_series {
	char id[GNOCCHI_ID_MAX + 1];
	size_t machine; /* place in the query */
	size_t offset;  /* member of struct remote_metric_point */
};
struct gnocchi_list {
	struct gnocchi_series at[GNOCCHI_SERIES_MAX];
	size_t count;
};

/* Types of Gnocchi's resources whose metrics are read. */
enum gnocchi_type { GNOCCHI_INSTANCE, GNOCCHI_INTERFACE, GNOCCHI_DISK, GNOCCHI_TYPES };

/* Reads a search for resources of that type, and adds their metrics. ERR_IO: the answer is no list of resources. */
RESULT openstack_read_series(struct ctx *c, const json_t *root, enum gnocchi_type type,
			     const struct remote_metrics_query *query, struct gnocchi_list *list);
/* Reads the measures of the metrics. ERR_IO: the answer has no measures. */
RESULT openstack_read_points(struct ctx *c, const json_t *root, const struct gnocchi_list *list,
			     const struct remote_metrics_query *query, struct remote_metric_point *points);
/* read_metrics() of the driver: four requests. */
RESULT openstack_read_metrics(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
			      struct remote_metric_point *ret_points);
