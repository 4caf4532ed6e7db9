/* SPDX-License-Identifier: Apache-2.0
 * Requests in AWS's query protocol, EC2's and IAM's: pairs of a query string or a form whose names nest
 * ("A.1.B=x"), read by the tables of api/core/params.h. What EC2 has and Dari does not is refused by name; what
 * EC2 has not is ERR_UNKNOWN. Pure but for the context; any thread. */
#pragma once

#include "api/core/dump.h"

enum {
	REQUEST_PAIRS_MAX = 2000,
	REQUEST_PAIRS_MANY = 16000, /* of calls that bring many things at once */
	REQUEST_TEXT_MAX = 1024,    /* characters, where the row says nothing else */
};

/* Decodes query and form into sorted pairs, leaving out what belongs to the signature. ERR_INVALID: a broken
 * escape, text that XML cannot hold, a name twice; ERR_TOO_LARGE. */
RESULT request_parse(struct ctx *c, struct str query, struct str form, struct pairs *ret_pairs);
/* The same with up to REQUEST_PAIRS_MANY pairs. */
RESULT request_parse_many(struct ctx *c, struct str query, struct str form, struct pairs *ret_pairs);
/* Fills out, of the table's size and zeroed, from the pairs; names in `common` (NULL-ended) are left alone. Errors
 * as params_fill() has them, in the dialect's words: EC2 writes names of parameters small, IAM and STS those of members; CloudWatch has words of its
 * own for what is missing. */
extern const struct params_dialect request_ec2_dialect, request_iam_dialect, request_sts_dialect,
	request_cloudwatch_dialect;
RESULT request_read(struct ctx *c, const struct params_dialect *dialect, const struct params *table,
		    const char *const *common, const struct pairs *pairs, void *out);
/* A member that is not as a constraint of IAM's wants it, which no table can say: "satisfy regular expression pattern: …".
 * shown: the value, as STS tells it; empty: it is not told. ERR_INVALID with the field. */
RESULT request_fail_member(struct ctx *c, struct str field, struct str shown, const char *must);
/* Dumps of tables: names as "A.N.B", and what a value has to be beyond its type ("form"), for tests that send what it
 * must not be. */
extern const struct dump_form request_dump_form;
/* Of two parameters that name the same thing the one that was given. ERR_COMBINATION: both;
 * ERR_MISSING: neither. */
RESULT request_choose(struct ctx *c, const struct ref *one, const char *one_wire, const struct ref *other,
		      const char *other_wire, struct ref *ret_ref);
/* Of a list that names what is to be shown: an empty one names all. */
bool request_asks_for(struct strs names, struct str name);
/* What a call names, as the subject of its audit record (api/core/audit.h): the parameters that name people, keys,
 * roles, machines, and no other. a NULL: it has none. */
struct audit_call;
void request_add_subject(struct audit_call *a, const struct pairs *pairs);
