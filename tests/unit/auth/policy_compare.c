/* SPDX-License-Identifier: Apache-2.0
 * Asks both evaluators the same question, and shrinks a disagreement. */
#include <stdlib.h>

#include "policy_random.h"

static struct arena *scratch(void)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	if (!a)
		abort();
	return a;
}

static const char *word_of(enum policy_effect effect)
{
	return effect == POLICY_ALLOWS ? "allow" : effect == POLICY_DENIES ? "deny" : "nothing";
}

bool random_read(struct str text, enum policy_form form, bool must_compile, struct random_pair *ret_pair)
{
	struct ctx c;
	struct random_pair p = {.arena = scratch()};
	ctx_init(&c, p.arena);
	p.validity = policy_naive_read(text, form, &p.document);
	bool is_taken = result_is_ok(policy_compile(&c, text, form, &p.code));
	p.refusal = c.problem.message;
	*ret_pair = p;
	return is_taken ? p.validity != NAIVE_INVALID : p.validity != NAIVE_VALID && !must_compile;
}

void random_free(struct random_pair *p)
{
	json_decref(p->document);
	arena_free(p->arena);
}

bool random_ask(const struct random_pair *p, const struct random_request *r, struct random_answer *ret_answer)
{
	struct random_answer a = {0};
	struct policy_question q = r->q;
	bool is_silent = false;
	*ret_answer = a;
	if (!p->code)
		return true;
	q.arena = p->arena;
	q.request = r;
	a.product = policy_ask(p->code, &q, &a.product_statement);
	a.naive = policy_naive_ask(p->document, &q, &a.naive_statement, &is_silent);
	a.is_compared = !is_silent;
	*ret_answer = a;
	return is_silent || (a.product == a.naive &&
			     (a.product == POLICY_SILENT || a.product_statement == a.naive_statement));
}

/* Whether both implementations agree on the document's validity and on the request's result. */
static bool agree(const json_t *document, enum policy_form form, const struct random_request *r,
		  bool must_compile)
{
	struct random_pair p;
	struct random_answer a;
	char *text = json_dumps(document, JSON_ENCODE_ANY);
	bool is_same = random_read(str_from(text), form, must_compile, &p) && random_ask(&p, r, &a);
	random_free(&p);
	free(text);
	return is_same;
}

/* ---- small ones ---- */

/* Deletes the n-th thing below that may be gone; n counts down. True: it is deleted. */
static bool delete_below(json_t *at, size_t *n)
{
	if (json_is_array(at)) {
		for (size_t k = 0; k < json_array_size(at); k++) {
			if ((*n)-- == 0)
				return json_array_remove(at, k) == 0;
			if (delete_below(json_array_get(at, k), n))
				return true;
		}
		return false;
	}
	for (void *member = json_object_iter(at); member; member = json_object_iter_next(at, member)) {
		const char *name = json_object_iter_key(member);
		if ((*n)-- == 0)
			return json_object_del(at, name) == 0;
		if (delete_below(json_object_iter_value(member), n))
			return true;
	}
	return false;
}

/* Whether the product refuses the document with this message. */
static bool is_refused(const json_t *document, enum policy_form form, struct str words)
{
	struct random_pair p;
	char *text = json_dumps(document, 0);
	(void) random_read(str_from(text), form, false, &p);
	bool is_same = !p.code && str_equal(p.refusal, words);
	random_free(&p);
	free(text);
	return is_same;
}

/* Removes one part of the document, if possible. After wrong refusals, the rest must be refused with the same
 * message. After other disagreements, the rest must still be valid and cause a disagreement. */
static bool shrink_document(json_t **document, enum policy_form form, const struct random_request *r,
			    struct str refusal)
{
	for (size_t n = 0;; n++) {
		json_t *copy = json_deep_copy(*document);
		size_t down = n;
		if (!delete_below(copy, &down)) {
			json_decref(copy);
			return false;
		}
		bool is_kept = refusal.n ? is_refused(copy, form, refusal) : !agree(copy, form, r, false);
		if (is_kept) {
			json_decref(*document);
			*document = copy;
			return true;
		}
		json_decref(copy);
	}
}

static void shrink_question(const json_t *document, enum policy_form form, struct random_request *r,
			    bool must_compile)
{
	for (size_t k = 0; k < RANDOM_KEYS; k++) {
		struct random_key kept = r->keys[k];
		r->keys[k] = (struct random_key){.known = POLICY_ABSENT};
		if (agree(document, form, r, must_compile))
			r->keys[k] = kept;
	}
}

static void tell_request(FILE *out, const struct random_request *r)
{
	(void) fprintf(out, "  action %" STR_FMT ", resource \"%" STR_FMT "\"\n", STR_ARG(r->q.action),
		       STR_ARG(r->q.resource));
	for (size_t k = 0; k < r->q.principals.count; k++)
		(void) fprintf(out, "  who %" STR_FMT "\n", STR_ARG(r->q.principals.at[k]));
	for (size_t k = 0; k < RANDOM_KEYS; k++) {
		if (r->keys[k].known == POLICY_ABSENT)
			continue;
		(void) fprintf(out, "  %s:%s", random_key_name(k),
			       r->keys[k].known == POLICY_NOT_YET ? " not known yet" : "");
		for (size_t v = 0; v < r->keys[k].count && r->keys[k].known == POLICY_PRESENT; v++)
			(void) fprintf(out, " '%" STR_FMT "'", STR_ARG(r->keys[k].values[v]));
		(void) fprintf(out, "\n");
	}
}

void random_tell(FILE *out, json_t *document, enum policy_form form, struct random_request *r,
		 bool must_compile)
{
	struct random_pair whole, part;
	struct random_answer a;
	json_t *small = json_deep_copy(document);
	char *text = json_dumps(document, 0);
	bool is_read_alike = random_read(str_from(text), form, must_compile, &whole);
	struct str refusal = must_compile && !whole.code && !is_read_alike ? whole.refusal : STR_NONE;
	while (shrink_document(&small, form, r, refusal))
		;
	shrink_question(small, form, r, must_compile);
	free(text);
	text = json_dumps(small, 0);
	(void) random_read(str_from(text), form, must_compile, &part);
	(void) random_ask(&part, r, &a);
	(void) fprintf(out, "%s policy %s\n", form == POLICY_OF_TRUST ? "trust" : "identity", text);
	tell_request(out, r);
	if (!part.code || part.validity == NAIVE_INVALID)
		(void) fprintf(out, "  product: %s %" STR_FMT "\n  naive: %s\n",
			       part.code ? "takes it" : "refuses it:", STR_ARG(part.refusal),
			       part.validity == NAIVE_INVALID ? "refuses it" : "takes it");
	else
		(void) fprintf(out, "  product: %s (statement %zu)\n  naive: %s (statement %zu)\n",
			       word_of(a.product), a.product_statement, word_of(a.naive), a.naive_statement);
	free(text);
	json_decref(small);
	random_free(&whole);
	random_free(&part);
}

/* ---- sets ---- */

enum { SET_MAX = 5 };

bool random_decisions_agree(struct source *s, struct arena *arena, FILE *out)
{
	json_t *documents[SET_MAX];
	const struct policy_code *codes[SET_MAX];
	struct ctx c;
	struct random_request r;
	struct policy_decision d;
	bool is_silent = false, is_same = true;
	ctx_init(&c, arena);
	for (size_t k = 0; k < SET_MAX; k++) {
		documents[k] = random_policy(s, POLICY_OF_IDENTITY);
		char *text = json_dumps(documents[k], 0);
		bool is_taken =
			result_is_ok(policy_compile(&c, str_from(text), POLICY_OF_IDENTITY, &codes[k]));
		free(text);
		if (!is_taken) /* printed when a single document is compared */
			is_silent = true;
	}
	size_t identity = source_pick(s, 3), session = source_pick(s, 3);
	bool has_boundary = source_pick(s, 2);
	struct policy_set set = {codes,
				 identity,
				 .has_role = source_pick(s, 3) == 0,
				 .has_session = source_pick(s, 2),
				 .session = codes + 2,
				 .session_count = session,
				 .boundary = has_boundary ? codes[4] : NULL};
	struct naive_set naive = {
		documents,    documents + 2,  identity, session, has_boundary ? documents[4] : NULL,
		set.has_role, set.has_session};
	for (int n = 0; n < RANDOM_QUESTIONS && is_same && !is_silent; n++) {
		random_question(s, POLICY_OF_IDENTITY, arena, &r);
		policy_decide(&set, &r.q, &d);
		enum policy_effect wanted = policy_naive_decide(&naive, &r.q, &is_silent);
		is_same = is_silent || wanted == d.effect;
		if (!is_same && out)
			(void) fprintf(out, "decision: product %s, naive %s\n", word_of(d.effect),
				       word_of(wanted));
	}
	for (size_t k = 0; k < SET_MAX; k++) {
		char *text = !is_same && out ? json_dumps(documents[k], 0) : NULL;
		if (text)
			(void) fprintf(out, "  %zu: %s\n", k, text);
		free(text);
		json_decref(documents[k]);
	}
	return is_same;
}
