/* SPDX-License-Identifier: Apache-2.0
 * Members of a row's JSON object, as const tables. A member shows a field of the row itself, or of another row
 * to which a path leads. A member without a value is left out. The face formats times. Any thread.
 *
 *   MEMBER(struct instance, "cpunumber", vcpus)                                    a field, by its type
 *   MEMBER(struct zone, "zonename", name, .path = {JOIN_ONE(KIND_ZONE, instance, zone)})   of the row's zone
 *   MEMBER_FIXED("hypervisor", "\"KVM\"")                                          the same for all rows; "a|b": both
 *   MEMBER_TEXT("state", get_state)                                                what a function says; MEMBER_TEXT_OF()
 *                                                                                  of a row that a path leads to
 *   MEMBER_EACH("nic", nics, KIND_PORT, PORT_INDEX_INSTANCE)                       an object for each row that names it
 *   MEMBER_REFS(struct port, "group", members, KIND_SECURITY_GROUP, groups)        an object for each row that it names
 *   MEMBER_ALL(of_a_machine)                                                       all that another table has
 *   MEMBER_OBJECT("properties", rows)                                              an object of the same row; .find: of the struct that
 *                                                                                  a function finds
 *   MEMBER_WITH("sku", MEMBER_FIXED("name", "\"Standard\""))                       an object of the same row, whose members follow
 *   MEMBER_LIST("rules", rows, list_rules)                                         an object for each struct that a function lists
 *   MEMBER_MADE(WORD, word, "state", get_state)                                    what a function returns
 *   MEMBER_WRITTEN("addresses", write_addresses)                                   anything else */
#pragma once

#include "api/core/action.h"
#include "base/json_write.h"
#include "store/query.h"

enum member_type {
	MEMBER_IS_FIXED,
	MEMBER_IS_WRITTEN,
	MEMBER_IS_FORM,
	MEMBER_IS_ALL,
	MEMBER_IS_EACH, /* lists of objects */
	MEMBER_IS_REFS,
	MEMBER_IS_LIST,
	MEMBER_IS_OBJECT,
	MEMBER_IS_TEXT,
	MEMBER_IS_TEXTS,
	MEMBER_IS_WORD, /* const char * of a function */
	MEMBER_IS_ID,
	MEMBER_IS_INT,    /* in units of 1 << .shift, MiB say */
	MEMBER_IS_DIGITS, /* an int as a text */
	MEMBER_IS_REAL,   /* an int with a decimal point */
	MEMBER_IS_TIME,
	MEMBER_IS_BOOL, /* true and false, or .yes and .no */
	MEMBER_IS_ZERO, /* whether an int is 0 */
	MEMBER_IS_ENUM, /* int: index of .words */
	MEMBER_IS_IP,
	MEMBER_IS_CIDR,
	MEMBER_IS_MAC,
	MEMBER_IS_NETMASK, /* netmask of an IPv4 CIDR */
};

enum { MEMBER_PATH_MAX = 2 };

struct members;

/* An array of structs, each `size` bytes long. */
struct member_items {
	const void *first;
	size_t count, size;
};

struct member {
	const char *name;
	enum member_type type;
	/* Path to the row that has the field; JOIN_EACH() leads to the first of several. KIND_NONE ends it. */
	struct query_join path[MEMBER_PATH_MAX];
	size_t offset; /* offset of the field in the row */
	unsigned shift;
	bool is_optional; /* an empty text or list is left out */
	bool is_opposite; /* BOOL: shows the opposite of the field */
	const char *yes, *no;
	size_t instead;   /* field to show instead of an empty text, as its offset + 1 (FITS) */
	const char *json; /* FIXED: the value */
	/* The member is left out of the objects of rows for which it is false; NULL: always written. */
	bool (*shows)(struct api_call *e, const struct row *row);
	union {
		bool (*any)(void); /* tells whether there is a function */
		struct str (*text)(struct api_call *e, const struct row *row);
		const char *(*word)(struct api_call *e, const struct row *row); /* NULL is left out */
		int64_t (*number)(struct api_call *e, const struct row *row);
		bool (*truth)(struct api_call *e, const struct row *row);
		struct strs (*texts)(struct api_call *e, const struct row *row);
		/* OBJECT: the struct that has the members, instead of the row; NULL: the object is left out. */
		const void *(*find)(struct api_call *e, const struct row *row);
		struct member_items (*items)(struct api_call *e, const struct row *row); /* LIST */
		void (*write)(struct api_call *e, struct json_writer *w, const char *name,
			      const struct row *row); /* WRITTEN */
		/* FORM: a function of the face; at: the field. */
		void (*form)(struct api_call *e, struct json_writer *w, const struct member *m,
			     const void *at);
	};
	union {
		const char
			*also; /* WRITTEN: further members that it writes, "a|b", for the dump of answers */
		const char *const *words; /* ENUM */
		const char *arg;          /* FORM */
	};
	const struct members *list; /* EACH, REFS, LIST, OBJECT: members of an object; ALL: the other table */
	struct query_join each;     /* EACH */
	bool (*fits)(struct api_call *e, const struct row *row); /* EACH: leaves out other rows; NULL: none */
	enum kind kind;                                          /* REFS: kind of the rows */
	int of;                                                  /* FORM */
};

struct members {
	const struct member *at;
	size_t count;
};
#define MEMBERS(rows)                                                                                        \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0]                                                       \
	}

#define MEMBER_TYPE(T, field)                                                                                \
	_Generic(((T *) 0)->field, struct str                                                                \
		 : MEMBER_IS_TEXT, struct strs                                                               \
		 : MEMBER_IS_TEXTS, uuid                                                                     \
		 : MEMBER_IS_ID, int64_t                                                                     \
		 : MEMBER_IS_INT, bool                                                                       \
		 : MEMBER_IS_BOOL, struct ip                                                                 \
		 : MEMBER_IS_IP, struct cidr                                                                 \
		 : MEMBER_IS_CIDR, struct mac                                                                \
		 : MEMBER_IS_MAC)
/* A field of struct T; one of another type does not compile. */
#define MEMBER(T, member_name, field, ...)                                                                   \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_TYPE(T, field), .offset = offsetof(T, field),          \
		__VA_ARGS__                                                                                  \
	}
/* A field whose type does not say how it is shown. */
#define MEMBER_AS(T, form, member_name, field, ...)                                                          \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_##form, .offset = offsetof(T, field), __VA_ARGS__   \
	}
#define MEMBER_FIXED(member_name, value)                                                                     \
	{                                                                                                    \
		.name = (member_name), .json = (value)                                                       \
	}
#define MEMBER_TEXT(member_name, function)                                                                   \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_TEXT, .text = (function)                            \
	}
/* A text that a function makes of the row that the path leads to. */
#define MEMBER_TEXT_OF(member_name, function, ...)                                                           \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_TEXT, .text = (function), .path = { __VA_ARGS__ }   \
	}
#define MEMBER_WRITTEN(member_name, function, ...)                                                           \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_WRITTEN, .write = (function), __VA_ARGS__           \
	}
#define MEMBER_ALL(table)                                                                                    \
	{                                                                                                    \
		.name = "", .type = MEMBER_IS_ALL, .list = &(table)                                          \
	}
#define MEMBER_EACH(member_name, table, kind, index, ...)                                                    \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_EACH, .list = &(table),                             \
		.each = JOIN_EACH(kind, index), __VA_ARGS__                                                  \
	}
#define MEMBER_OBJECT(member_name, rows, ...)                                                                \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_OBJECT,                                             \
		.list = &(const struct members) MEMBERS(rows), __VA_ARGS__                                   \
	}
/* table: a struct members, of another file. */
#define MEMBER_OBJECT_OF(member_name, table, ...)                                                            \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_OBJECT, .list = &(table), __VA_ARGS__               \
	}
#define MEMBER_WITH(member_name, ...)                                                                        \
	MEMBER_OBJECT(member_name, ((const struct member[]){__VA_ARGS__}), .json = NULL)
/* Members of the struct that a function finds, without an object around. */
#define MEMBER_INLINE(function, ...)                                                                         \
	MEMBER_OBJECT(NULL, ((const struct member[]){__VA_ARGS__}), .find = (function))
#define MEMBER_LIST(member_name, rows, function, ...)                                                        \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_LIST, .items = (function),                          \
		.list = &(const struct members) MEMBERS(rows), __VA_ARGS__                                   \
	}
/* `member` names the function in struct member that returns such a value, `as` the form in which the value is written. */
#define MEMBER_MADE(as, member, member_name, function, ...)                                                  \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_##as, .member = (function), __VA_ARGS__             \
	}
#define MEMBER_REFS(T, member_name, table, row_kind, field, ...)                                             \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_REFS, .list = &(table), .kind = (row_kind),         \
		.offset = offsetof(T, field), __VA_ARGS__                                                    \
	}

/* Defines a function of a row of struct T: `expression` of the row, which it calls `v`, and of the call e. */
#define MEMBER_GETTER(T, v, returned, function, expression)                                                  \
	static returned function(struct api_call *e, const struct row *row)                                  \
	{                                                                                                    \
		const struct T *v = T##_of(row);                                                             \
		(void) e, (void) v;                                                                          \
		return (expression);                                                                         \
	}

/* The first row of the kind whose index begins with the id; tables_next(…, 1) leads to the others. NULL: there is none. */
const struct row *members_find_first(struct api_call *e, enum kind kind, unsigned index, uuid id);

typedef void (*members_write_time)(struct json_writer *w, const char *name, int64_t time_us);

/* The members of the row's object. */
void members_write(struct api_call *e, struct json_writer *w, members_write_time write_time,
		   const struct members *members, const struct row *row);
