/* SPDX-License-Identifier: Apache-2.0
 * Regular expressions of filters, as Nova hands them to its database: . [class] ^ $ ( ) * + ? {n,m} and \ mean
 * something, and | is itself, as Nova makes it for MySQL. A pattern becomes a program whose threads all walk
 * through the text at once: a text takes time by its length and the program's, whatever a stranger writes. */
#include "api/openstack/core/list.h"

enum { PATTERN_MAX = 255, TEXT_MAX = 255, CODE_MAX = 512, COUNT_MAX = 255, DEPTH_MAX = 16, ATOM_MAX = 64 };
enum { STEPS_MAX = 20000 }; /* of one text: a pattern that takes more fits nothing */

enum code_op { MATCH, LETTER, ANY, CLASS, BEGIN, END, FORK, JUMP };

/* Jumps are relative, so that code can be moved and copied. */
struct code {
	uint8_t op; /* enum code_op */
	char letter;
	uint8_t from, size; /* CLASS: what stands within the brackets, in the pattern */
	int16_t to, or_to;  /* FORK: both; JUMP: to */
};

struct program {
	struct code at[CODE_MAX];
	size_t count;
	struct str pattern, rest; /* rest: what is not read yet */
	int depth;
};

/* ---- from a pattern to a program ---- */

static bool emit(struct program *p, struct code code)
{
	if (p->count == CODE_MAX)
		return false;
	p->at[p->count++] = code;
	return true;
}

static bool insert(struct program *p, size_t at, struct code code)
{
	if (!emit(p, code))
		return false;
	memmove(&p->at[at + 1], &p->at[at], (p->count - 1 - at) * sizeof *p->at);
	p->at[at] = code;
	return true;
}

static bool append_copy(struct program *p, const struct code *from, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (!emit(p, from[k]))
			return false;
	return true;
}

static char peek(const struct program *p)
{
	return p->rest.n ? p->rest.p[0] : '\0';
}

static char take(struct program *p)
{
	char c = peek(p);
	p->rest = str_slice(p->rest, 1, p->rest.n);
	return c;
}

/* Behind "[": "]" as the first letter is itself. */
static bool take_class(struct program *p)
{
	size_t from = peek(p) == '^' ? 1 : 0;
	size_t end = str_find_char(p->rest, ']', from + 1);
	if (end >= p->rest.n)
		return false;
	struct code code = {CLASS, .from = (uint8_t) (p->pattern.n - p->rest.n), .size = (uint8_t) end};
	p->rest = str_slice(p->rest, end + 1, p->rest.n);
	return emit(p, code);
}

static bool take_sequence(struct program *p);

static bool take_atom(struct program *p)
{
	char c = take(p);
	switch (c) {
	case '(':
		if (++p->depth > DEPTH_MAX || !take_sequence(p) || take(p) != ')')
			return false;
		p->depth--;
		return true;
	case '[':
		return take_class(p);
	case '.':
		return emit(p, (struct code){ANY});
	case '^':
		return emit(p, (struct code){BEGIN});
	case '$':
		return emit(p, (struct code){END});
	case '*':
	case '+':
	case '?':
	case '{':
		return false; /* of nothing */
	case '\\':
		return p->rest.n && emit(p, (struct code){LETTER, .letter = take(p)});
	default:
		return emit(p, (struct code){LETTER, .letter = c});
	}
}

static bool make_optional(struct program *p, size_t at)
{
	int size = (int) (p->count - at);
	return insert(p, at, (struct code){FORK, .to = 1, .or_to = (int16_t) (size + 1)});
}

static bool make_loop(struct program *p, size_t at)
{
	int size = (int) (p->count - at);
	return insert(p, at, (struct code){FORK, .to = 1, .or_to = (int16_t) (size + 2)}) &&
	       emit(p, (struct code){JUMP, .to = (int16_t) - (size + 1)});
}

/* "2}", "2,}" or "2,4}" behind "{"; most: -1 is any number. */
static bool take_counts(struct program *p, int64_t *ret_least, int64_t *ret_most)
{
	size_t end = str_find_char(p->rest, '}', 0);
	struct str inside = str_slice(p->rest, 0, end), least = STR_NONE;
	bool has_comma = str_find_char(inside, ',', 0) < inside.n;
	if (end >= p->rest.n || !str_split_next(&inside, ',', &least) ||
	    !result_is_ok(str_parse_int(least, ret_least)))
		return false;
	*ret_most = has_comma ? -1 : *ret_least;
	if (inside.n && !result_is_ok(str_parse_int(inside, ret_most)))
		return false;
	p->rest = str_slice(p->rest, end + 1, p->rest.n);
	return *ret_least >= 0 && *ret_least <= COUNT_MAX && *ret_most <= COUNT_MAX &&
	       (*ret_most < 0 || *ret_most >= *ret_least);
}

static bool repeat(struct program *p, size_t at, int64_t least, int64_t most)
{
	struct code atom[ATOM_MAX];
	size_t size = p->count - at;
	if (size > ATOM_MAX)
		return false;
	memcpy(atom, &p->at[at], size * sizeof *atom);
	p->count = at;
	for (int64_t k = 0; k < least; k++)
		if (!append_copy(p, atom, size))
			return false;
	size_t last = p->count;
	if (most < 0)
		return append_copy(p, atom, size) && make_loop(p, last);
	for (int64_t k = least; k < most; k++, last = p->count)
		if (!append_copy(p, atom, size) || !make_optional(p, last))
			return false;
	return true;
}

static bool take_repetition(struct program *p, size_t at)
{
	int64_t least = 0, most = 0;
	switch (take(p)) {
	case '*':
		return make_loop(p, at);
	case '+':
		return repeat(p, at, 1, -1);
	case '?':
		return make_optional(p, at);
	default:
		return take_counts(p, &least, &most) && repeat(p, at, least, most);
	}
}

static bool take_sequence(struct program *p)
{
	while (p->rest.n && peek(p) != ')') {
		size_t at = p->count;
		if (!take_atom(p))
			return false;
		while (p->rest.n && strchr("*+?{", peek(p)))
			if (!take_repetition(p, at))
				return false;
	}
	return true;
}

static bool compile(struct str pattern, struct program *p)
{
	p->count = 0;
	p->depth = 0;
	p->pattern = p->rest = pattern;
	return pattern.n <= PATTERN_MAX && take_sequence(p) && !p->rest.n && emit(p, (struct code){MATCH});
}

/* ---- from a program to an answer ---- */

struct threads {
	uint64_t is_there[CODE_MAX / 64];
	uint16_t at[CODE_MAX];
	size_t count;
};

struct walk {
	const struct program *p;
	struct str text;
	size_t position;
	unsigned steps; /* left */
	bool has_matched;
};

static bool class_has(struct str class, char c)
{
	bool is_negated = class.p[0] == '^', has = false;
	for (size_t k = is_negated; k < class.n; k++) {
		bool is_range = k + 2 < class.n && class.p[k + 1] == '-';
		has |= is_range ? c >= class.p[k] && c <= class.p[k + 2] : c == class.p[k];
		k += is_range ? 2 : 0;
	}
	return has != is_negated;
}

/* Follows what takes no letter. */
static void add_thread(struct walk *w, struct threads *t, size_t at)
{
	uint16_t waiting[2 * CODE_MAX + 1]; /* each code adds two at most, once */
	size_t count = 0;
	waiting[count++] = (uint16_t) at;
	while (count) {
		size_t k = waiting[--count];
		const struct code *code = &w->p->at[k];
		if (t->is_there[k / 64] >> k % 64 & 1)
			continue;
		t->is_there[k / 64] |= UINT64_C(1) << k % 64;
		if (code->op == MATCH)
			w->has_matched = true;
		else if (code->op == JUMP || code->op == FORK)
			waiting[count++] = (uint16_t) ((int) k + code->to);
		else if (code->op == BEGIN ? w->position == 0 : code->op == END && w->position == w->text.n)
			waiting[count++] = (uint16_t) (k + 1);
		else if (code->op == LETTER || code->op == ANY || code->op == CLASS)
			t->at[t->count++] = (uint16_t) k;
		if (code->op == FORK)
			waiting[count++] = (uint16_t) ((int) k + code->or_to);
	}
}

static bool takes(const struct program *p, const struct code *code, char c)
{
	return code->op == ANY || (code->op == LETTER && code->letter == c) ||
	       (code->op == CLASS &&
		class_has(str_slice(p->pattern, code->from, code->from + code->size), c));
}

static void step_all(struct walk *w, const struct threads *now, struct threads *next)
{
	char c = w->text.p[w->position++];
	for (size_t k = 0; k < now->count && w->steps; k++, w->steps--)
		if (takes(w->p, &w->p->at[now->at[k]], c))
			add_thread(w, next, now->at[k] + 1U);
}

static bool search(const struct program *p, struct str text)
{
	struct threads both[2] = {0};
	struct walk w = {p, text, 0, STEPS_MAX, false};
	for (;;) {
		struct threads *now = &both[w.position % 2], *next = &both[(w.position + 1) % 2];
		add_thread(&w, now, 0); /* it may begin anywhere */
		if (w.position == text.n || w.has_matched || !w.steps)
			return w.has_matched;
		*next = (struct threads){0};
		step_all(&w, now, next);
	}
}

bool os_is_pattern(struct str pattern)
{
	struct program p;
	return compile(pattern, &p);
}

bool os_pattern_fits(struct str pattern, struct str text)
{
	struct program p;
	return compile(pattern, &p) && search(&p, str_slice(text, 0, TEXT_MAX));
}
