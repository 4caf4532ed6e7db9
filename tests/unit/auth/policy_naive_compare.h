/* SPDX-License-Identifier: Apache-2.0
 * Inside the naive evaluator: operators, patterns with variables, and one value compared with another. */
#pragma once

#include "policy_naive.h"

enum truth { NO, MAYBE, YES }; /* maybe: as soon as the resource is known */

/* State of one evaluation. */
struct naive {
	const struct policy_question *q;
	bool has_variables; /* of version 2012-10-17 */
	bool is_silent;     /* it came by a case that AWS's documents leave open */
};

enum naive_how {
	HOW_EQUALS,
	HOW_FOLDED,
	HOW_LIKE,
	HOW_NUMBER,
	HOW_DATE,
	HOW_BOOL,
	HOW_BINARY,
	HOW_IP,
	HOW_ARN,
	HOW_NULL
};
enum naive_set_word { SET_NONE, SET_ALL, SET_ANY };

struct naive_operator {
	enum naive_how how;
	enum naive_set_word set;
	bool is_negated, if_exists;
	int order_min, order_max; /* of numbers and dates: of given to wanted, -1 to 1 */
};

/* A pattern's characters: a byte as it is, or one of these. */
enum { GLYPH_STAR = 256, GLYPH_ANY = 257 };
struct glyphs {
	const int *at;
	size_t n;
};

/* A JSON string's text; empty for anything else. */
struct str naive_text(const json_t *value);
/* A condition's value as text: numbers and booleans may stand without quotation marks. */
struct str naive_scalar(struct arena *a, const json_t *value);
struct str naive_fold_key(struct arena *a, struct str key); /* lower case up to its first '/' */
size_t naive_count_parts(struct str arn);

bool naive_find_operator(struct str name, struct naive_operator *ret_operator);

/* Compares an action: ignoring case, with wildcards, without variables. */
enum truth naive_glob(struct str pattern, struct str text);
/* Variables replaced. NO: one of them has no value, so that nothing fits; MAYBE: not known yet. */
enum truth naive_read_pattern(struct naive *n, struct str text, bool has_wildcards,
			      struct glyphs *ret_glyphs);
enum truth naive_match(struct glyphs pattern, struct str text);

/* Compares a given value with a wanted one, before negation. */
enum truth naive_compare(struct naive *n, const struct naive_operator *o, struct str given,
			 const json_t *wanted);
