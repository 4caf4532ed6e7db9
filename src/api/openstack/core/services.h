/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: paths and microversions of the services. */
#pragma once

#include "api/openstack/core/action.h"

struct os_service_info {
	const char *type;              /* in the catalog: "compute" */
	const char *prefix;            /* "/compute" */
	const char *version_path;      /* behind the prefix: "/v2.1" */
	const char *microversion_type; /* in OpenStack-API-Version: "compute"; NULL: it has none */
	int major, minor_max;          /* "2.93" */
};

/* Static. */
const struct os_service_info *os_service_info(enum os_service service);
/* Finds the service of a path, and the path after the service's prefix: "/v2.1/servers". */
bool os_service_of_path(struct str path, enum os_service *ret_service, struct str *ret_rest);
/* The microversion that the headers ask for, into e->request.version. ERR_INVALID; ERR_RANGE: one that the
 * service has not. */
RESULT os_read_version(struct os_call *e);
