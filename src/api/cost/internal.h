/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cost/: declares calls, and queries of charges. */
#pragma once

#include "api/cost/cost.h"
#include "api/query/target.h"
#include "base/json_write.h"
#include "engine/billing/billing.h"

#define COST_ACTION(word) .name = (word), .permit = "ce:" word

extern const struct api_actions cost_actions;
extern const struct api_groups cost_action_groups;

/* ---- errors.c ---- */

extern const struct api_errors cost_errors;
/* Writes the problem as {"__type", "Message"}. */
RESULT cost_write_problem(struct api_call *core, struct api_problem *p, struct buf *body);

/* ---- request.c ---- */

enum {
	COST_GROUPS_MAX = 2,
	COST_PERIODS_MAX = 400,
	COST_MONTHS_MAX = 14,
	COST_DEEP_MAX = 8,
	COST_NODES_MAX = 200,
	COST_VALUES_MAX = 200
};

/* Dimensions of a charge. */
enum cost_dimension {
	COST_SERVICE,
	COST_ACCOUNT,
	COST_USAGE_TYPE,
	COST_INSTANCE_TYPE,
	COST_ZONE,
	COST_REGION,
	COST_RECORD_TYPE,
	COST_TAG,
	COST_DIMENSIONS
};
extern const char *const cost_dimension_words[COST_TAG];

struct cost_key {
	enum cost_dimension dimension;
	struct str tag;
};

/* Bits. */
enum cost_metric {
	COST_UNBLENDED = 1,
	COST_BLENDED = 2,
	COST_AMORTIZED = 4,
	COST_NET_UNBLENDED = 8,
	COST_NET_AMORTIZED = 16,
	COST_QUANTITY = 32
};
struct cost_metric_word {
	const char *name;
	enum cost_metric bit;
};
extern const struct cost_metric_word cost_metrics[];
extern const size_t cost_metric_count;

/* A node of a filter. */
enum cost_operator { COST_ALL, COST_ANY, COST_NONE_OF, COST_ONE };
struct cost_filter {
	enum cost_operator operator;
	const struct cost_filter
		*parts[COST_VALUES_MAX]; /* operands of COST_ALL, COST_ANY and COST_NONE_OF */
	size_t part_count;
	struct cost_key key; /* COST_ONE: the key that is compared */
	struct strs values;
	bool is_absent, is_start;
};

struct cost_question {
	int64_t from_s, until_s; /* whole days; the day of until_s is excluded */
	bool is_monthly;
	unsigned metrics;
	struct cost_key groups[COST_GROUPS_MAX];
	size_t group_count;
	const struct cost_filter *filter; /* NULL: none */
	/* for lists of values: */
	struct cost_key key;
	struct str search;
};

/* Reads the question of get-cost-and-usage from its JSON. ERR_INVALID, ERR_TOO_LARGE, ERR_UNSUPPORTED, with the parameter. */
RESULT cost_prepare_usage(struct target_call *e, void *args);
/* Reads the question of get-dimension-values, likewise. */
RESULT cost_prepare_values(struct target_call *e, void *args);
/* Reads the question of get-tags, likewise: values of a tag, or, without a tag, the keys of tags. */
RESULT cost_prepare_tags(struct target_call *e, void *args);

/* ---- charges.c ---- */

/* Value of a charge for the key, in the arena. Empty with *ret_is_absent if the charge's resource does not have the tag. */
struct str cost_value(struct arena *a, const struct cost_key *key, const struct billed *billed,
		      const struct charge *charge, struct str region, bool *ret_is_absent);
bool cost_matches(struct arena *a, const struct cost_filter *filter, const struct billed *billed,
		  const struct charge *charge, struct str region);
/* Calls `each` with all charges of the question's months that the caller may see and that match its filter. Closes
 * e->view. *ret_closed_until_s: earlier charges are final. */
RESULT cost_read_charges(struct target_call *e, const struct cost_question *q, billing_each each, void *arg,
			 int64_t *ret_closed_until_s);
