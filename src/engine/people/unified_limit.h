/* SPDX-License-Identifier: Apache-2.0
 * Keystone's unified limits: a registered limit is the default of a resource of a service, a limit is one project's or
 * domain's own. A limit of a resource that Dari counts (nova's servers, neutron's network, …) is a view of the
 * project's quota: to set one is to set the other. Limits of other services are stored for them. */
#pragma once

#include "engine/operation.h"

struct project_limit;
struct registered_limit;

enum { REGISTERED_LIMITS_MAX = 1000, UNIFIED_LIMITS_OF_CALL_MAX = 200 };

/* A resource by its service, region and name. */
struct limited_resource {
	uuid service;
	struct str own_type; /* type of the service if it is one of this region's own; empty: an added one */
	struct str region;   /* empty: none named */
	struct str own_region; /* name of this region, which has no row */
	struct str name;
};

/* Creates registered limits, all or none. With KIND_REGISTERED_LIMIT: ERR_EXISTS; ERR_INVALID, there is no such
 * service or region. */
struct registered_limit_wish {
	struct limited_resource resource;
	int64_t value;
	struct str description;
	/* output: */
	uuid limit;
};
struct registered_limits_wish {
	struct registered_limit_wish *at;
	size_t count;
};
OPERATION(engine_create_registered_limits, registered_limits_wish)

/* Changes a registered limit. ERR_PROTECTED with KIND_REGISTERED_LIMIT: projects have limits of it. */
struct registered_limit_change {
	struct ref limit;
	struct limited_resource resource; /* service none, texts empty: unchanged */
	const int64_t *value;             /* NULL: unchanged */
	const struct str *description;    /* likewise */
};
OPERATION(engine_update_registered_limit, registered_limit_change)

/* Deletes a registered limit; a quota's default becomes Dari's own. ERR_PROTECTED: projects have limits of it. */
struct registered_limit_target {
	struct ref limit;
};
OPERATION(engine_delete_registered_limit, registered_limit_target)

/* Creates limits of projects or domains, all or none. With KIND_PROJECT_LIMIT: ERR_EXISTS; ERR_INVALID, the project or
 * domain does not exist; ERR_STATE, the resource has no registered limit; ERR_UNSUPPORTED, the limit is a domain's, of a
 * resource that Dari counts. */
struct project_limit_wish {
	struct limited_resource resource;
	struct ref account, domain; /* exactly one of them */
	int64_t value;
	struct str description;
	/* output: */
	uuid limit;
};
struct project_limits_wish {
	struct project_limit_wish *at;
	size_t count;
};
OPERATION(engine_create_project_limits, project_limits_wish)

struct project_limit_change {
	struct ref limit;
	const int64_t *value;          /* NULL: unchanged */
	const struct str *description; /* likewise */
};
OPERATION(engine_update_project_limit, project_limit_change)

/* Deletes a limit; the project has the registered one. */
struct project_limit_target {
	struct ref limit;
};
OPERATION(engine_delete_project_limit, project_limit_target)

/* The limits as they hold now; -1: none. */
int64_t engine_get_registered_limit(const struct tables *t, const struct registered_limit *limit);
int64_t engine_get_project_limit(const struct tables *t, const struct project_limit *limit);
/* True if a registered limit names the service. */
bool engine_has_registered_limits(const struct tables *t, uuid service);
