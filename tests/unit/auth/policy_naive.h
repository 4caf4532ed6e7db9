/* SPDX-License-Identifier: Apache-2.0
 * A second evaluator of IAM's policy language, to compare the product's with: slow, obvious, over the
 * document's JSON tree. It is written from the IAM User Guide alone ("IAM JSON policy reference": grammar,
 * elements, condition operators, set operators, variables; "Policy evaluation logic") and shares nothing with
 * src/auth/policy*.c but the question. It knows three answers, since a question may come before its resource
 * is known: such a statement allows what it may allow, and denies only what it must deny.
 *
 * Disagreements listed, not averaged. AWS's documents are silent in these cases, or contradict themselves:
 * the evaluator is unsure of such a document, or says "silent" of such an answer, and only that is not
 * compared. Behind each stands what the product does.
 * - "Id" in an identity policy: taken, and means nothing. The grammar's notes forbid it; documents that
 * people bring have it.
 * - No statement, nobody as a kind of principals, an empty list of a condition's values: the first is
 * refused; the second names nobody; of the third none fits. The grammar wants one or more of each.
 * - A value that its operator cannot read ("x" as a number): refused. Only some of AWS's pages call it an
 * error.
 * - A resource or ARN of fewer than six parts: as Resource it is refused, as a condition's value it fits
 * nothing.
 * - "${" that begins no variable: refused if it is not closed, else a variable without a value.
 * - A key of several values under an operator without ForAllValues or ForAnyValue: one that fits is enough; a
 *   negated operator wants that none does. "Multivalued context keys require a condition set operator" is
 * all.
 * - A key that is there without a value: it is as if it were not there. Only the set operators' case is
 * written.
 * - The empty text as a key's only value under a set operator: it is a value, as a tag's may be. AWS calls it
 * "an empty data set", and does not say when it is one.
 * - A variable of several values, or of none: it has no value, but its default. AWS forbids the former.
 * - A date of four digits: a year. It may be seconds, too.
 * - "*" as Principal, and who asks is a service or a web identity: it is not meant. It is equivalent to
 *   {"AWS":"*"}, and these are other kinds.
 * One disagreement is beyond the evaluators: a condition key is given to the request's find() with the tag's
 * key behind '/' as it is written, and AWS compares that, too, without regard to case. */
#pragma once

#include <jansson.h>

#include "auth/policy.h"

enum naive_validity { NAIVE_INVALID, NAIVE_UNSURE, NAIVE_VALID };

/* Whether IAM takes it. Unsure: its documents do not say. ret_document, the caller's, is NULL unless it is
 * JSON. */
enum naive_validity policy_naive_read(struct str text, enum policy_form form, json_t **ret_document);

/* As policy_ask(). *ret_is_silent is set where it depends on a case of the list above; it is never reset. */
enum policy_effect policy_naive_ask(const json_t *document, const struct policy_question *q,
				    size_t *ret_statement, bool *ret_is_silent);

/* As struct policy_set, of documents. */
struct naive_set {
	json_t *const *identity, *const *session;
	size_t identity_count, session_count;
	const json_t *boundary;
	bool has_role, has_session;
};

/* As policy_decide(): only what comes of it. */
enum policy_effect policy_naive_decide(const struct naive_set *set, const struct policy_question *q,
				       bool *ret_is_silent);
