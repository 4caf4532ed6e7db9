/* SPDX-License-Identifier: Apache-2.0
 * A second evaluator of IAM's policy language, for comparison with the product's: simple and slow, on the
 * document's JSON tree. It was written only from the IAM User Guide ("IAM JSON policy reference": grammar,
 * elements, condition operators, set operators, variables; "Policy evaluation logic"), and shares no code with
 * src/auth/policy/policy*.c except the question. An evaluation has three results, because the resource may not be
 * known yet: until it is, a statement allows what it may allow, and denies only what it must deny.
 *
 * In the following cases AWS's documentation is silent or contradictory. For such documents the evaluator is
 * unsure, such answers it marks as silent, and only these are not compared. Each entry ends with the product's
 * behaviour.
 * - "Id" in an identity policy: accepted and ignored. The grammar's notes forbid it, but existing documents
 *   have it.
 * - No statements, an empty list of one kind of principals, an empty list of a condition's values: the first
 *   is refused, the second names nobody, the third never matches. The grammar requires at least one of each.
 * - A value that its operator cannot parse ("x" as a number): refused. Only some of AWS's pages call it an
 *   error.
 * - A resource or ARN with fewer than six parts: refused as Resource, and never matches as a condition's
 *   value.
 * - "${" without a valid variable: refused if it is not closed, else a variable without a value.
 * - A key with several values under an operator without ForAllValues or ForAnyValue: one match suffices; a
 *   negated operator requires that none matches. AWS only says "Multivalued context keys require a condition
 *   set operator".
 * - A key that is present without a value: treated as absent. AWS describes this only for set operators.
 * - An empty string as a key's only value under a set operator: it is a value, as a tag's may be empty. AWS
 *   calls it "an empty data set" without saying when it is one.
 * - A variable with several values, or none: it has no value except its default. AWS forbids the former.
 * - A date of four digits: a year. It could be seconds.
 * - "*" as Principal for a service or a web identity: does not match. It is equivalent to {"AWS":"*"}, and
 *   these are other kinds of principals.
 * One difference cannot be found by comparison: in condition keys, both evaluators pass the tag's key behind
 * '/' to the request's find() as written, while AWS compares it ignoring case. */
#pragma once

#include <jansson.h>

#include "auth/policy/policy.h"

enum naive_validity { NAIVE_INVALID, NAIVE_UNSURE, NAIVE_VALID };

/* Parses and validates a document like IAM. NAIVE_UNSURE: IAM's documentation does not say. *ret_document is
 * NULL unless the text is JSON, and owned by the caller. */
enum naive_validity policy_naive_read(struct str text, enum policy_form form, json_t **ret_document);

/* Like policy_ask(). *ret_is_silent is set if the answer depends on a case listed above, and never
 * cleared. */
enum policy_effect policy_naive_ask(const json_t *document, const struct policy_question *q,
				    size_t *ret_statement, bool *ret_is_silent);

/* Like struct policy_set, with documents. */
struct naive_set {
	json_t *const *identity, *const *session;
	size_t identity_count, session_count;
	const json_t *boundary;
	bool has_role, has_session;
};

/* Like policy_decide(), without the reason. */
enum policy_effect policy_naive_decide(const struct naive_set *set, const struct policy_question *q,
				       bool *ret_is_silent);
