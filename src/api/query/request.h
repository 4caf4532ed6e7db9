/* SPDX-License-Identifier: Apache-2.0
 * Requests in AWS's query protocol, in the dialects of EC2 and IAM: pairs from a query string or a form with nested names
 * ("A.1.B=x"), read by the tables of api/core/params.h. A parameter of EC2 that Dari does not implement is refused by name; a
 * parameter that EC2 does not have is ERR_UNKNOWN. Pure but for the context; any thread. */
#pragma once

#include "api/core/dump.h"

enum {
	REQUEST_PAIRS_MAX = 2000,
	REQUEST_PAIRS_MANY = 16000, /* for calls with long lists */
	REQUEST_TEXT_MAX = 1024,    /* characters, unless the parameter's row has another limit */
};

/* Decodes query and form into sorted pairs, without the signature's parameters. ERR_INVALID: a broken
 * escape, text that XML cannot hold, a name twice; ERR_TOO_LARGE. */
RESULT request_parse(struct ctx *c, struct str query, struct str form, struct pairs *ret_pairs);
/* Decodes like request_parse(), up to REQUEST_PAIRS_MANY pairs. */
RESULT request_parse_many(struct ctx *c, struct str query, struct str form, struct pairs *ret_pairs);
/* Fills out, of the table's size and zeroed, from the pairs; names in `common` (NULL-ended) are left alone. Errors
 * as params_fill() has them, in the dialect's words: EC2 writes names of parameters small, IAM and STS those of members; CloudWatch has words of its
 * own for what is missing. */
extern const struct params_dialect request_ec2_dialect, request_iam_dialect, request_sts_dialect,
	request_cloudwatch_dialect, request_sqs_dialect;
RESULT request_read(struct ctx *c, const struct params_dialect *dialect, const struct params *table,
		    const char *const *common, const struct pairs *pairs, void *out);
/* Fails because a member violates a constraint that no table can express: "satisfy regular expression pattern: …". shown: the
 * value, which STS repeats; empty: the message has no value. ERR_INVALID with the field. */
RESULT request_fail_member(struct ctx *c, struct str field, struct str shown, const char *must);
/* Form of dumps of tables: names as "A.N.B", and a value's constraint beyond its type ("form"), so that tests can send values that
 * violate it. */
extern const struct dump_form request_dump_form;
/* Chooses the given one of two parameters that name the same thing. ERR_COMBINATION: both are given; ERR_MISSING: neither. */
RESULT request_choose(struct ctx *c, const struct ref *one, const char *one_wire, const struct ref *other,
		      const char *other_wire, struct ref *ret_ref);
/* True if the list has the name, or is empty: an empty list asks for everything. */
bool request_asks_for(struct strs names, struct str name);
/* Adds the call's parameters that name people, keys, roles or machines to the subject of its audit record (api/core/audit.h). a NULL:
 * does nothing. */
struct audit_call;
void request_add_subject(struct audit_call *a, const struct pairs *pairs);
