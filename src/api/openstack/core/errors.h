/* SPDX-License-Identifier: Apache-2.0
 * OpenStack's words for what went wrong: one table from (service, kind of failure, kind of resource) to HTTP
 * status and, where the service has one, the type that clients branch on; and each service's form of an
 * error's body. Any thread. */
#pragma once

#include "api/openstack/core/action.h"

struct os_error {
	enum err err;
	int kind;          /* enum kind; 0: any */
	unsigned services; /* bits 1 << enum os_service */
	int status;
	const char *type;  /* Neutron's; of Nova and Cinder the fault's name where the status does not say it;
			      NULL */
	const char *field; /* only for this parameter, or members of it; NULL: for all */
};

/* The row for a problem (field: the parameter at fault, or empty); there always is one. */
const struct os_error *os_find_error(enum os_service service, enum err err, int kind, struct str field);
/* All rows, for tests. */
const struct os_error *os_list_errors(size_t *ret_count);

/* Writes the service's error body and answers the call. */
void os_answer_error(struct os_call *e, const struct os_error *error, struct str message);
/* The call's own problem. Faults of ours are logged, and told without their inner words. result: what was
 * returned, for the case that nothing was recorded. */
void os_answer_problem(struct os_call *e, struct result result);
/* http_face's reject: the server's own refusals. */
void os_reject(void *self, struct call *call, int status, enum err why);
