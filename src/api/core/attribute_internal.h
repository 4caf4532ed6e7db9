/* SPDX-License-Identifier: Apache-2.0
 * Private to attribute*.c: how values are stored between gathering and writing, and the shapes that plans are made of. */
#pragma once

#include "api/core/attribute.h"

union attribute_value {
	struct str text;
	const char *word;
	int64_t number;
	bool truth;
	uuid id;
	struct tags tags;
	struct strs texts;
	const void *at;
	const struct attribute_items *items;
};

struct attribute_item {
	const struct row *row;
	const struct attribute_shape *shape;
	struct api_call *e;
	union attribute_value values[]; /* one for each step that gathers a value */
};

struct attribute_items {
	size_t count, item_size;
	char at[]; /* structs attribute_item */
};

static inline const struct attribute_item *attribute_item_at(const struct attribute_items *items, size_t k)
{
	return (const struct attribute_item *) (const void *) (items->at + k * items->item_size);
}

/* The place of a value when it is written. */
enum attribute_place {
	PLACE_ROW,     /* in the row, at the offset */
	PLACE_ITEM,    /* in the item */
	PLACE_POINTER, /* where the item's pointer says */
	PLACE_CALL,    /* in the call, at the offset */
	PLACE_WITHIN,  /* an object of the same row: its members' values are in the item, too */
	PLACE_RAW,     /* a function of the attribute writes the member */
};

typedef struct str (*attribute_write_text)(const struct attribute_style *style, const struct attribute *a,
					   const void *at, char *out);

/* XML: "name>". All bytes are copied, whatever its size: a short name costs no call. */
enum { ATTRIBUTE_TAG_SIZE = 40 };
struct attribute_tag {
	uint8_t size; /* with the bracket; 0: the name is too long */
	char text[ATTRIBUTE_TAG_SIZE];
};

struct attribute_step {
	const struct attribute *a;
	attribute_write_text text; /* NULL: no text, or the fixed one */
	struct attribute_tag tag;
	struct str element; /* XML: the whole element if its text is fixed */
	/* Writes the member with its value; at NULL: there is none. out: a struct xml or a struct json_writer. */
	void (*write)(const struct attribute_step *step, const void *at, void *out);
	const struct attribute_shape *shape, *within;
	const char *fixed; /* text of every row; NULL: each has its own */
	uint16_t offset;   /* the attribute's offset */
	enum attribute_place place : 8;
	bool is_ruled; /* the attribute says how an empty value is written */
};

/* True if the value is stored in the item. */
static inline bool attribute_takes_room(const struct attribute_step *step)
{
	return step->place == PLACE_ITEM || step->place == PLACE_POINTER;
}

/* The steps of a table for calls that show the same members. Shared by such calls of all threads, and never changed. */
struct attribute_shape {
	const struct attribute_style *style;
	size_t count, gathered;
	const struct attribute_step *
		*gathers; /* steps whose values the item has, also those of objects of the same row */
	struct attribute_tag item; /* tag around each element of a list */
	struct attribute_step steps[];
};

struct attribute_plan {
	struct api_call *e;
	const struct attribute_shape *shape;
};

/* True if the value is stored where a pointer says, outside the attribute_value. */
static inline bool attribute_is_pointed(const struct attribute *a)
{
	return a->via.kind != KIND_NONE || a->form == ATTRIBUTE_IP || a->form == ATTRIBUTE_CIDR ||
	       a->form == ATTRIBUTE_MAC;
}

/* True if the value stands in the item, because a function or other rows say it. */
static inline bool attribute_is_gathered(const struct attribute *a)
{
	return (attribute_is_made(a) && a->form != ATTRIBUTE_RAW) || a->via.kind != KIND_NONE ||
	       a->form == ATTRIBUTE_LIST || a->form == ATTRIBUTE_OBJECT;
}

/* True for an object of another row than the one around it. */
static inline bool attribute_is_elsewhere(const struct attribute *a)
{
	return a->form == ATTRIBUTE_LIST ||
	       (a->form == ATTRIBUTE_OBJECT && (attribute_is_made(a) || a->via.kind != KIND_NONE));
}

/* The table of the members of its elements; NULL: it has none. */
static inline const struct attributes *attribute_within(const struct attribute *a)
{
	return a->form == ATTRIBUTE_LIST || a->form == ATTRIBUTE_OBJECT ? a->within : NULL;
}

static inline bool attribute_truth(const struct attribute *a, const void *at)
{
	return *(const bool *) at != !!(a->flags & ATTRIBUTE_NOT);
}

/* Bytes as units of 1 << shift, rounded up. */
static inline int64_t attribute_units(int64_t number, unsigned shift)
{
	int64_t unit = INT64_C(1) << shift;
	return number / unit + (number % unit != 0);
}

/* Writes the value as text, mostly to out; p NULL: none. NULL: values of that form have none. */
attribute_write_text attribute_text_writer(enum attribute_form form);
/* Sets .write, .tag, .element (in the arena) and .is_ruled. */
void attribute_choose_writer(struct arena *a, struct attribute_step *step, bool is_change);
void attribute_make_tag(struct str name, struct attribute_tag *ret_tag);
/* True for an empty text, the number 0, no id, no address, no tags, and no value at all. */
bool attribute_has_none(const struct attribute *a, const void *at);
