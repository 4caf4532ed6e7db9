/* SPDX-License-Identifier: Apache-2.0
 * Conditions of rules of ELBv2, and the text that rows have them as: a JSON list of objects. */
#pragma once

#include "base/ctx.h"

enum rule_field {
	RULE_PATH_PATTERN,
	RULE_HOST_HEADER,
	RULE_HTTP_HEADER,
	RULE_METHOD,
	RULE_QUERY_STRING,
	RULE_SOURCE_IP,
	RULE_FIELDS
};
extern const char *const rule_field_words[RULE_FIELDS]; /* "path-pattern", … */

/* A value; only a query string's may have a key. */
struct rule_value {
	struct str key, value;
};
/* Met by a request that has one of the values. */
struct rule_condition {
	enum rule_field field;
	struct str name; /* of a header */
	struct rule_value *values;
	size_t value_count;
};
struct rule_conditions {
	struct rule_condition *at;
	size_t count;
};
/* Writes conditions as rows have them, and reads them again. */
RESULT rule_conditions_write(struct ctx *c, const struct rule_conditions *conditions, struct str *ret_text);
RESULT rule_conditions_read(struct ctx *c, struct str text, struct rule_conditions *ret_conditions);
