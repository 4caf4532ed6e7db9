/* SPDX-License-Identifier: Apache-2.0
 * Plans: which members of a table a call shows, and how each is written. Making the steps costs as much as writing a whole
 * row, so calls that show the same members share them: the first such call makes the shape, and the process keeps it. */
#include <pthread.h>
#include <stdatomic.h>

#include "api/core/action.h"
#include "api/core/attribute_internal.h"

/* ---- what a shape depends on ---- */

struct variant {
	const struct attribute *rows;
	size_t count;
	const struct attribute_style *style;
	uint64_t shown;    /* a bit for each attribute that some calls show, in the order of the tables */
	size_t choices;    /* number of such attributes */
	const char *state; /* the state in the call's answer, for attributes that show it; NULL: the row's */
	bool is_change;
};

static bool is_for_some(const struct attribute *a)
{
	return a->since || a->until || a->flags & (ATTRIBUTE_ADMIN | ATTRIBUTE_IN_READS);
}

static bool is_shown(struct api_call *e, const struct attribute_style *style, const struct attribute *a)
{
	if (a->flags & ATTRIBUTE_HIDDEN)
		return false;
	return !is_for_some(a) || !style->shows || style->shows(e, a);
}

static const char *answer_state(struct api_call *e, const struct attribute_style *style,
				const struct attribute *a)
{
	return a->flags & ATTRIBUTE_IN_ANSWER ? style->answer_state(e) : NULL;
}

static bool is_change(struct api_call *e, const struct attribute_style *style, const struct attribute *a)
{
	return a->flags & ATTRIBUTE_OMIT_NONE_IN_READS && style->is_change(e);
}

static void find_variant(struct api_call *e, const struct attributes *table, struct variant *v)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct attribute *a = &table->at[k];
		bool shows = is_shown(e, v->style, a);
		const char *state = answer_state(e, v->style, a);
		if (is_for_some(a))
			v->shown |= (uint64_t) shows << v->choices++ % 64;
		if (state)
			v->state = state;
		v->is_change |= is_change(e, v->style, a);
		if (shows && attribute_within(a))
			find_variant(e, a->within, v);
	}
}

/* ---- making a shape ---- */

static enum attribute_place choose_place(const struct attribute_step *step)
{
	const struct attribute *a = step->a;
	bool is_pointed =
		a->form == ATTRIBUTE_OBJECT || (a->form != ATTRIBUTE_LIST && attribute_is_pointed(a));
	if (a->is_of_call)
		return PLACE_CALL;
	if (a->form == ATTRIBUTE_RAW)
		return PLACE_RAW;
	if (a->form == ATTRIBUTE_OBJECT && !attribute_is_elsewhere(a))
		return PLACE_WITHIN;
	if (!attribute_is_gathered(a) || step->fixed)
		return PLACE_ROW;
	return is_pointed ? PLACE_POINTER : PLACE_ITEM;
}

/* Lists the steps in the order of the item's values. */
static const struct attribute_shape *list_gathers(struct attribute_shape *shape)
{
	size_t count = 0;
	for (size_t k = 0; k < shape->count; k++) {
		const struct attribute_step *step = &shape->steps[k];
		const struct attribute_shape *within = step->place == PLACE_WITHIN ? step->within : NULL;
		for (size_t n = 0; within && n < within->gathered; n++)
			shape->gathers[count++] = within->gathers[n];
		if (attribute_takes_room(step))
			shape->gathers[count++] = step;
	}
	return shape;
}

static const struct attribute_shape *make_shape(struct api_call *e, struct arena *arena,
						const struct attribute_style *style,
						const struct attributes *table)
{
	struct attribute_shape *shape =
		arena_alloc(arena, sizeof *shape + table->count * sizeof shape->steps[0]);
	if (!shape)
		return NULL;
	shape->style = style;
	if (style->is_xml)
		attribute_make_tag(str_from(style->item), &shape->item);
	for (size_t k = 0; k < table->count; k++) {
		const struct attribute *a = &table->at[k];
		struct attribute_step *step = &shape->steps[shape->count];
		if (!is_shown(e, style, a))
			continue;
		*step = (struct attribute_step){
			.a = a, .shape = shape, .text = attribute_text_writer(a->form), .offset = a->offset};
		step->fixed = answer_state(e, style, a);
		if (!step->fixed && a->form == ATTRIBUTE_FIXED)
			step->fixed = a->fixed;
		step->place = choose_place(step);
		if (attribute_within(a) && !(step->within = make_shape(e, arena, style, a->within)))
			return NULL;
		attribute_choose_writer(arena, step, is_change(e, style, a));
		shape->gathered +=
			step->place == PLACE_WITHIN ? step->within->gathered : attribute_takes_room(step);
		shape->count++;
	}
	shape->gathers = arena_new_array(arena, const struct attribute_step *, shape->gathered);
	return shape->gathers ? list_gathers(shape) : NULL;
}

/* ---- the shapes that calls share ---- */

enum { SHAPES_MAX = 1024, SHAPES_FIRST_SIZE = 64 * 1024, SHAPES_CAP = 8 * 1024 * 1024 };

struct shared {
	struct variant variant;
	const struct attribute_shape *shape;
};

/* Readers take no lock: an entry is whole when it is stored, and stays. Entries depend on const tables alone, so that all
 * faces and regions of the process share them. */
static struct {
	pthread_mutex_t lock; /* held by a call that adds an entry */
	struct arena *arena;
	size_t count;
	const struct shared *_Atomic at[SHAPES_MAX]; /* open addressing, at most three quarters full */
} shapes = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t hash(const struct variant *v)
{
	uint64_t sum = (uintptr_t) v->rows + v->count + 3 * (uintptr_t) v->state + v->is_change;
	sum = (sum ^ v->shown) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t) (sum >> 32);
}

static bool is_same(const struct variant *x, const struct variant *y)
{
	return x->rows == y->rows && x->count == y->count && x->style == y->style && x->shown == y->shown &&
	       x->choices == y->choices && x->state == y->state && x->is_change == y->is_change;
}

/* The entry's place, or the free one where it belongs. */
static const struct shared *_Atomic *find_place(const struct variant *v)
{
	size_t n = hash(v) % SHAPES_MAX;
	const struct shared *at;
	while ((at = atomic_load_explicit(&shapes.at[n], memory_order_acquire)) && !is_same(&at->variant, v))
		n = (n + 1) % SHAPES_MAX;
	return &shapes.at[n];
}

/* NULL: there is no room. */
static const struct shared *add(struct api_call *e, const struct variant *v, const struct attributes *table)
{
	if (!shapes.arena)
		shapes.arena = arena_new(SHAPES_FIRST_SIZE, SHAPES_CAP);
	if (!shapes.arena || shapes.count >= SHAPES_MAX / 4 * 3)
		return NULL;
	struct shared *made = arena_new_object(shapes.arena, struct shared);
	const struct attribute_shape *shape = made ? make_shape(e, shapes.arena, v->style, table) : NULL;
	if (!shape)
		return NULL;
	*made = (struct shared){*v, shape};
	shapes.count++;
	return made;
}

static const struct attribute_shape *share(struct api_call *e, const struct variant *v,
					   const struct attributes *table)
{
	(void) pthread_mutex_lock(&shapes.lock);
	const struct shared *_Atomic *place = find_place(v);
	const struct shared *found = atomic_load_explicit(place, memory_order_relaxed);
	if (!found && (found = add(e, v, table)))
		atomic_store_explicit(place, found, memory_order_release);
	(void) pthread_mutex_unlock(&shapes.lock);
	return found ? found->shape : NULL;
}

const struct attribute_plan *attributes_plan(struct api_call *e, const struct attribute_style *style,
					     const struct attributes *table)
{
	struct variant v = {.rows = table->at, .count = table->count, .style = style};
	struct attribute_plan *plan = arena_new_object(e->c->arena, struct attribute_plan);
	if (!plan)
		return NULL;
	find_variant(e, table, &v);
	const struct shared *found = atomic_load_explicit(find_place(&v), memory_order_acquire);
	plan->e = e;
	plan->shape = found ? found->shape : v.choices <= 64 ? share(e, &v, table) : NULL;
	if (!plan->shape) /* too many choices, or no room: the call has a shape of its own */
		plan->shape = make_shape(e, e->c->arena, style, table);
	return plan->shape ? plan : NULL;
}
