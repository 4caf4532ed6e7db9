/* SPDX-License-Identifier: Apache-2.0
 * The members of a resource in one face: a const row for each says its name on the wire, where its value comes from, how the
 * value is written, and whether queries filter and order by it. Writers, filters, sort keys and `dari dump` read the same row,
 * so a member and its filter cannot disagree.
 *
 *   ATTRIBUTE(volume, "volumeType", type, .filter = "volume-type")                a field, written by its C type
 *   ATTRIBUTE_REF(volume, "snapshotId", snapshot, KIND_SNAPSHOT)                  a field that is an id
 *   ATTRIBUTE_AS(TIME, volume, "createTime", row.created_us)                      a field whose C type does not say its form
 *   ATTRIBUTE_OF(volume, zone, KIND_ZONE, zone, "availabilityZone", name)         a field of the row that `zone` names
 *   ATTRIBUTE_STATE_OF("status", KIND_VOLUME)                                     the face's word for the derived state
 *   ATTRIBUTE_CALL(ec2_call, "ownerId", owner)                                    a field of the call, the same for every row
 *   ATTRIBUTE_MADE(TEXT, text, "kmsKeyId", find_key)                              what a function returns
 *   ATTRIBUTE_CONST("storageTier", "standard")                                    the same for every row
 *   ATTRIBUTE_ROWS("attachmentSet", attachments, list_attachments)                an object for each row that a function lists
 *   ATTRIBUTE_WITHIN("properties", properties)                                    an object with members of the same row
 *   ATTRIBUTE_WITHIN_OF("attachment", attachment, find_attached)                  with those of the row that a function finds
 *   ATTRIBUTE_INLINE(association, find_associated)                                the same without an object around
 *   ATTRIBUTE_WRITTEN("sku", write_sku)                                           JSON that a function writes
 *
 * An answer is made in three steps. attributes_plan() picks the members that this call shows, once for all rows.
 * attributes_gather() runs while the tables of a view are held: it follows joins and calls the functions, and stores what they
 * return in an item. attributes_write_…() needs the item alone.
 *
 * Ownership: tables are const data. Items and all that functions return are in the call's arena, or are rows of the call's
 * view. Errors: a full arena fails the call when its answer ends; writers have sticky failures. Any thread. */
#pragma once

#include "api/core/list.h"

struct api_call;
struct json_writer;
struct xml;

enum attribute_form {
	ATTRIBUTE_TEXT,      /* struct str */
	ATTRIBUTE_WORD,      /* const char * of a function; NULL: none */
	ATTRIBUTE_INT,       /* int64_t; with .shift in units of 1 << .shift, rounded up */
	ATTRIBUTE_BOOL,      /* bool; with .words the text words[0] or words[1] */
	ATTRIBUTE_TIME,      /* int64_t, microseconds */
	ATTRIBUTE_TIME_FINE, /* the face's second format of times */
	ATTRIBUTE_ID,        /* uuid, as the face writes ids of .kind */
	ATTRIBUTE_HEX,       /* uuid of 32 digits without dashes */
	ATTRIBUTE_IP,
	ATTRIBUTE_CIDR,
	ATTRIBUTE_MAC,
	ATTRIBUTE_ENUM,   /* int: index of .words */
	ATTRIBUTE_TAGS,   /* struct tags */
	ATTRIBUTE_TEXTS,  /* struct strs */
	ATTRIBUTE_STATE,  /* derived state of the row, a row of .kind */
	ATTRIBUTE_FIXED,  /* .fixed: text in XML, a JSON value in JSON */
	ATTRIBUTE_LIST,   /* an object of .within for each of several rows */
	ATTRIBUTE_OBJECT, /* an object of .within, filled from the joined row if there is a join */
	ATTRIBUTE_RAW,    /* .get.write writes the member, or several */
};

enum attribute_flag {
	ATTRIBUTE_HIDDEN = 1 << 0,   /* a filter or sort key that no answer shows */
	ATTRIBUTE_ADMIN = 1 << 1,    /* shown to administrators; a filter of theirs */
	ATTRIBUTE_IN_READS = 1 << 2, /* shown by reads, not by the answer of a change */
	ATTRIBUTE_NOT = 1 << 3,      /* BOOL: the opposite of the field */
	/* These flags say how an empty value is written: an empty text or list, the number 0, no id, no joined row. Without one of
	 * them an empty text, number or list is written like any other; the face's style decides about ids, addresses and joins. */
	ATTRIBUTE_OMIT_NONE = 1 << 4,
	ATTRIBUTE_NULL_NONE = 1 << 5,
	ATTRIBUTE_EMPTY_NONE = 1 << 6, /* an empty text, an empty element of a list */
	ATTRIBUTE_OMIT_NONE_IN_READS = 1 << 7,
	ATTRIBUTE_IS_NAME = 1 << 8,         /* the name that the row is shown with: found by terms */
	ATTRIBUTE_BOUNDS = 1 << 9,          /* filter of times: "gt:…", several by commas */
	ATTRIBUTE_FROM_ZERO = 1 << 10,      /* INT: a negative number means no value: null, or omitted */
	ATTRIBUTE_FILTERS_WITHIN = 1 << 11, /* LIST, OBJECT: queries may name the filters of .within */
	ATTRIBUTE_IS_OWNER = 1 << 12,       /* filter: its values are owners, as the face spells them */
	ATTRIBUTE_V4 = 1 << 13,             /* IP, CIDR: an address of IPv6 is no value */
	ATTRIBUTE_V6 = 1 << 14,             /* IP, CIDR: an address of IPv4 is no value */
	ATTRIBUTE_IN_ANSWER = 1 << 15, /* the answer of a change may show the style's answer_state instead */
};

struct attributes;

/* An array of pointers to rows, or to structs that begin with their row. */
struct attribute_rows {
	const void *pointers;
	size_t count;
};

struct attribute {
	const char *name; /* NULL: hidden, with a filter alone */
	uint8_t name_size;
	enum attribute_form form : 8;
	uint16_t flags;
	uint8_t since, until; /* versions of the API; 0: from the first, to the last */
	uint8_t filter_since; /* first version with the filter; 0: that of `since` */
	enum kind kind : 8;   /* ID: kind of the row that the id names; STATE: kind of the row itself */
	uint8_t shift;
	bool is_of_call; /* the field is in the face's call */
	uint16_t offset; /* where the field is, in the row, in the joined one or in the call */
	uint16_t index;  /* index of the listed kind that begins with the field; 0: none */
	/* From the row to the one that has the field. LIST with an index: to the rows listed. KIND_NONE: no join. */
	struct query_join via;
	union {
		bool (*any)(void); /* tells whether there is a function */
		struct str (*text)(struct api_call *e, const struct row *row);
		const char *(*word)(struct api_call *e, const struct row *row);
		int64_t (*number)(struct api_call *e, const struct row *row);
		bool (*truth)(struct api_call *e, const struct row *row);
		uuid (*id)(struct api_call *e, const struct row *row);
		struct strs (*texts)(struct api_call *e, const struct row *row);
		struct tags (*tags)(struct api_call *e, const struct row *row);
		/* IP, CIDR, MAC: where the value is; OBJECT: the row whose members are written. NULL: none. */
		const void *(*at)(struct api_call *e, const struct row *row);
		struct attribute_rows (*rows)(struct api_call *e, const struct row *row);
		void (*write)(struct api_call *e, struct json_writer *w, const char *name,
			      const struct row *row);
	} get;
	union {
		const char *fixed;
		const char *const *words;
		const struct attributes *within;
		const char *also;   /* RAW: further names that it writes, "a|b" */
		const char *prefix; /* ID: instead of that of .kind, such as "eipassoc"; NULL: none */
	};
	const char *
		none; /* text of a missing value, in answers and queries; NULL: the flags say what is written */
	const char *filter; /* its name in queries; NULL: none */
	const char *sort;   /* names of its sort keys, "a|b" */
	/* Besides .index, ways from a filter's values to the listed rows, KIND_NONE ends them; NULL: none. All of them together find
	 * every row that fits. */
	const struct access_path *paths;
	const char *doc; /* one sentence; NULL: the sentence of the field in the schema */
};

struct attributes {
	const struct attribute *at;
	size_t count;
};
#define ATTRIBUTES(rows)                                                                                     \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0]                                                       \
	}
/* Defines a table of this file from its rows, "{ATTRIBUTE(…), …}". */
#define ATTRIBUTE_TABLE(name, ...)                                                                           \
	static const struct attribute name##_rows[] = __VA_ARGS__;                                           \
	static const struct attributes name = ATTRIBUTES(name##_rows)

/* ---- rows of a table ---- */

#define ATTRIBUTE_FORM(T, field)                                                                             \
	_Generic(((struct T *) 0)->field, struct str                                                         \
		 : ATTRIBUTE_TEXT, int64_t                                                                   \
		 : ATTRIBUTE_INT, bool                                                                       \
		 : ATTRIBUTE_BOOL, uuid                                                                      \
		 : ATTRIBUTE_ID, struct ip                                                                   \
		 : ATTRIBUTE_IP, struct cidr                                                                 \
		 : ATTRIBUTE_CIDR, struct mac                                                                \
		 : ATTRIBUTE_MAC, struct tags                                                                \
		 : ATTRIBUTE_TAGS, struct strs                                                               \
		 : ATTRIBUTE_TEXTS)
#define ATTRIBUTE_NAME(wire) .name = (wire), .name_size = sizeof(wire) - 1
#define ATTRIBUTE(T, wire, field, ...)                                                                       \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_FORM(T, field), .offset = offsetof(struct T, field), \
				      __VA_ARGS__                                                            \
	}
#define ATTRIBUTE_AS(as, T, wire, field, ...)                                                                \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_##as, .offset = offsetof(struct T, field),           \
				      __VA_ARGS__                                                            \
	}
#define ATTRIBUTE_REF(T, wire, field, row_kind, ...)                                                         \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_FORM(T, field), .offset = offsetof(struct T, field), \
				      .kind = (row_kind), __VA_ARGS__                                        \
	}
/* The row's own id. */
#define ATTRIBUTE_OWN_ID(T, wire, row_kind, ...) ATTRIBUTE_REF(T, wire, row.id, row_kind, __VA_ARGS__)
#define ATTRIBUTE_OF(T, ref_field, row_kind, other, wire, field, ...)                                        \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_FORM(other, field),                                  \
				      .offset = offsetof(struct other, field),                               \
				      .via = JOIN_ONE(row_kind, T, ref_field), __VA_ARGS__                   \
	}
#define ATTRIBUTE_STATE_OF(wire, row_kind, ...)                                                              \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_STATE, .kind = (row_kind), __VA_ARGS__               \
	}
/* An id under another prefix than its kind's. */
#define ATTRIBUTE_PREFIXED(T, wire, field, id_prefix, ...)                                                   \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_ID, .offset = offsetof(struct T, field),             \
				      .prefix = (id_prefix), __VA_ARGS__                                     \
	}
/* T: the face's call. */
#define ATTRIBUTE_CALL(T, wire, field, ...)                                                                  \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_FORM(T, field), .offset = offsetof(struct T, field), \
				      .is_of_call = true, __VA_ARGS__                                        \
	}
/* member: of .get, which says what the function returns. */
#define ATTRIBUTE_MADE(as, member, wire, function, ...)                                                      \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_##as, .get.member = (function), __VA_ARGS__          \
	}
#define ATTRIBUTE_CONST(wire, value, ...)                                                                    \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_FIXED, .fixed = (value), __VA_ARGS__                 \
	}
#define ATTRIBUTE_ROWS(wire, table, function, ...)                                                           \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_LIST, .within = &(table), .get.rows = (function),    \
				      __VA_ARGS__                                                            \
	}
/* An object for each live row whose index begins with the row's id. */
#define ATTRIBUTE_EACH(wire, table, row_kind, row_index, ...)                                                \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_LIST, .within = &(table),                            \
				      .via = JOIN_EACH(row_kind, row_index), __VA_ARGS__                     \
	}
#define ATTRIBUTE_WITHIN(wire, table, ...)                                                                   \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_OBJECT, .within = &(table), __VA_ARGS__              \
	}
#define ATTRIBUTE_WITHIN_OF(wire, table, function, ...)                                                      \
	ATTRIBUTE_WITHIN(wire, table, .get.at = (function), __VA_ARGS__)
#define ATTRIBUTE_INLINE(table, function, ...)                                                               \
	{                                                                                                    \
		.form = ATTRIBUTE_OBJECT, .within = &(table), .get.at = (function), __VA_ARGS__              \
	}
#define ATTRIBUTE_WRITTEN(wire, function, ...)                                                               \
	{                                                                                                    \
		ATTRIBUTE_NAME(wire), .form = ATTRIBUTE_RAW, .get.write = (function), __VA_ARGS__            \
	}
#define ATTRIBUTE_PATHS(...)                                                                                 \
	.paths = (const struct access_path[ACCESS_PATHS_MAX])                                                \
	{                                                                                                    \
		__VA_ARGS__                                                                                  \
	}
/* Defines a function for .get of a row of struct T: `expression` of the row, which it calls `v`, and of the call e. */
#define ATTRIBUTE_GETTER(T, v, returned, function, expression)                                               \
	static returned function(struct api_call *e, const struct row *row)                                  \
	{                                                                                                    \
		const struct T *v = T##_of(row);                                                             \
		(void) e, (void) v;                                                                          \
		return (expression);                                                                         \
	}
/* Lists the elements of an array, each `size` bytes long and beginning with a row, for .get.rows. NULL: no elements. */
struct attribute_rows attribute_rows_of(struct api_call *e, const void *structs, size_t count, size_t size);
/* Lists nothing: .get.rows of a list that is always empty. */
struct attribute_rows attribute_list_nothing(struct api_call *e, const struct row *row);
/* A filter of a value that no row has. Without a function the value would be read from the row, at offset 0. */
const char *attribute_get_nothing(struct api_call *e, const struct row *row);
#define ATTRIBUTE_NOTHING(filter_name)                                                                       \
	{                                                                                                    \
		.flags = ATTRIBUTE_HIDDEN, .form = ATTRIBUTE_WORD, .get.word = attribute_get_nothing,        \
		.filter = (filter_name)                                                                      \
	}

/* ---- writing ---- */

enum { ATTRIBUTE_TEXT_SIZE = 64 };

/* The formats of a face. */
struct attribute_style {
	bool is_xml;       /* else JSON */
	bool has_ec2_ids;  /* "vol-0123456789abcdef0", else UUIDs with dashes */
	bool none_is_null; /* JSON: no id, address, time or joined row is null; else the member is left out */
	char *(*write_time)(int64_t time_us, char out[static ATTRIBUTE_TEXT_SIZE]);
	char *(*write_time_fine)(int64_t time_us, char out[static ATTRIBUTE_TEXT_SIZE]);
	size_t state_word;              /* offset in struct state_info */
	const char *item, *key, *value; /* XML: elements of lists and tags */
	/* True if the call shows the member. Asked about rows with a version or a flag for readers; NULL: always true. */
	bool (*shows)(struct api_call *e, const struct attribute *a);
	bool (*is_change)(struct api_call *e);
	/* The state that the call's answer shows instead of the row's; NULL: it shows that. */
	const char *(*answer_state)(struct api_call *e);
};

/* A table as one call reads it: which members it shows, and for each where its value is and which function writes it. */
struct attribute_plan;
/* A row with the values that were gathered for it. */
struct attribute_item;

/* Made once for all rows of an answer. In the arena; NULL: no memory. */
const struct attribute_plan *attributes_plan(struct api_call *e, const struct attribute_style *style,
					     const struct attributes *table);
/* While the tables of the call's view are held. The item begins with the row's address. In the arena; NULL: no memory. */
const struct attribute_item *attributes_gather(const struct attribute_plan *plan, const struct row *row);
/* The members of an item's element or object, which the caller opens and closes. */
void attributes_write_xml(const struct attribute_item *item, struct xml *x);
void attributes_write_json(const struct attribute_item *item, struct json_writer *w);

/* The text that the value at `at` is written as, in out or where the value is; p NULL: it is none, or has no text. */
struct str attribute_text(const struct attribute_style *style, const struct attribute *a, const void *at,
			  char out[static ATTRIBUTE_TEXT_SIZE]);

/* ---- filters and sort keys ---- */

/* A member that queries name. */
enum { ATTRIBUTE_DEPTH_MAX = 3 };
struct attribute_found {
	const struct attribute *attribute; /* NULL: none */
	/* Lists, and objects of other rows, that have the member, from the outermost; NULL ends them: the row itself has it. */
	const struct attribute *around[ATTRIBUTE_DEPTH_MAX + 1];
};

/* The member whose filter has that name, of the table or of a list or object in it. */
struct attribute_found attributes_find_filter(const struct attributes *table, struct str name);
/* The filter at that place among all of them. */
struct attribute_found attributes_get_filter(const struct attributes *table, size_t at);
const struct attribute *attributes_find_sort(const struct attributes *table, struct str name);
/* Calls fits() with the value of the row, or with that of each element of a list, until it returns true; leaves out values
 * without a text. True: one value fitted. */
bool attribute_any(struct api_call *e, const struct tables *t, const struct attribute_found *found,
		   const struct row *row,
		   bool (*fits)(const void *arg, const struct attribute *a, const void *at), const void *arg);
/* The field of the kind's row that the attribute shows as it is; NULL: it is made, joined, or no field. */
const struct field *attribute_field(enum kind kind, const struct attribute *a);
/* Members of a list or object whose filters queries may name; NULL: queries may name none of them. */
static inline const struct attributes *attribute_filters_within(const struct attribute *a)
{
	return a->flags & ATTRIBUTE_FILTERS_WITHIN ? a->within : NULL;
}
/* The field that a sort key of the attribute orders by: also that of a made one with an offset; NULL: none. */
const struct field *attribute_sort_field(enum kind kind, const struct attribute *a);
/* What a sort key orders rows by if no field of theirs does: the text, number or truth that the row shows; other forms
 * have no order. The call's view has to be open. */
struct query_value attribute_sort_value(struct api_call *e, const struct attribute *a, const struct row *row);
/* True if every row has the value true, or every row false. */
bool attribute_is_fixed_truth(const struct attribute *a);
/* True if a function makes the value, or lists the rows. */
static inline bool attribute_is_made(const struct attribute *a)
{
	return a->get.any != NULL;
}

/* ---- documentation ---- */

/* Writes the list "answer": an object for each member, such as "attachmentSet.N.volumeId". The rows are of the kind. */
void attributes_dump(struct json_writer *w, enum kind kind, const struct attributes *table);
