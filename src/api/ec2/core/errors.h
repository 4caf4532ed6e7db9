/* SPDX-License-Identifier: Apache-2.0
 * EC2's words for what went wrong: one table from (kind of failure, kind of resource) to code and
 * HTTP status, and the error documents of EC2 and of STS. Any thread. */
#pragma once

#include "auth/sigv4.h"

enum ec2_dialect { DIALECT_EC2, DIALECT_STS };

struct ec2_error {
	enum err err;
	int kind; /* enum kind; 0: any */
	int status;
	const char *code;
	const char *field; /* only for this parameter, or members of it; NULL: for all */
};

/* The row for a problem (field: the parameter at fault, or empty); there always is one. */
const struct ec2_error *ec2_find_error(enum ec2_dialect dialect, enum err err, int kind, struct str field);
/* All rows, for tests. */
const struct ec2_error *ec2_list_errors(enum ec2_dialect dialect, size_t *ret_count);
/* Likewise for a refused signature; not SIGV4_FINE. */
const struct ec2_error *ec2_find_fault(enum ec2_dialect dialect, enum sigv4_fault fault);

/* The row for the context's problem; result as below. */
const struct ec2_error *ec2_find_problem(const struct ctx *c, enum ec2_dialect dialect, struct result result);

/* Writes the error document and answers the call. Faults of ours are logged, and told without
 * their inner words. */
void ec2_answer_error(struct call *call, enum ec2_dialect dialect, const struct ec2_error *error,
		      struct str message);
/* The call's own problem. result: what was returned, for the case that nothing was recorded. */
void ec2_answer_problem(struct call *call, enum ec2_dialect dialect, struct result result);
/* http_face's reject: the server's own refusals. */
void ec2_reject(void *self, struct call *call, int status, enum err why);
