/* SPDX-License-Identifier: Apache-2.0
 * Policies and questions at random, of so few words that they meet often; both evaluators asked; what they
 * disagree in made small and told. A source is a seed, or a fuzzer's bytes. */
#pragma once

#include <stdio.h>

#include "policy_naive.h"

struct source {
	uint64_t seed;
	const uint8_t *bytes; /* NULL: the seed decides */
	size_t left;
};

/* Below limit; of bytes that ran out always 0. */
size_t source_pick(struct source *s, size_t limit);

enum { RANDOM_KEYS = 11, RANDOM_QUESTIONS = 8 };

struct random_key {
	enum policy_known known;
	struct str values[3];
	size_t count;
};

/* A question's request: what find() knows. */
struct random_request {
	struct random_key keys[RANDOM_KEYS];
	struct str principals[2];
	struct policy_question q;
};

/* A document that the grammar allows. The caller's. */
json_t *random_policy(struct source *s, enum policy_form form);
/* Spoils it somewhere: a member gone, doubled, or of another type. */
void random_mutate(struct source *s, json_t *document);
void random_question(struct source *s, enum policy_form form, struct arena *arena,
		     struct random_request *ret_request);
const char *random_key_name(size_t key);

/* A text as both read it. */
struct random_pair {
	struct arena *arena;
	const struct policy_code *code; /* NULL: refused */
	json_t *document;
	enum naive_validity validity;
	struct str refusal;
};

/* Reads the text with both implementations. False: they disagree. must_compile: the text is known to be
 * valid. The pair must be freed in both cases. */
bool random_read(struct str text, enum policy_form form, bool must_compile, struct random_pair *ret_pair);
void random_free(struct random_pair *p);

/* Answers of both implementations. */
struct random_answer {
	enum policy_effect product, naive;
	size_t product_statement, naive_statement;
	bool is_compared; /* the text was taken, and AWS's documents give an answer */
};
/* False if the answers are compared and differ. */
bool random_ask(const struct random_pair *p, const struct random_request *r,
		struct random_answer *ret_answer);

/* All of a set, decided. */
bool random_decisions_agree(struct source *s, struct arena *arena, FILE *out);
/* Takes from document and request what is not needed to disagree, and tells the rest. */
void random_tell(FILE *out, json_t *document, enum policy_form form, struct random_request *r,
		 bool must_compile);
