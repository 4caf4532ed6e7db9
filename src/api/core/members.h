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
 *   MEMBER_WRITTEN("addresses", write_addresses)                                   anything else */
#pragma once

#include "api/core/action.h"
#include "base/json_write.h"
#include "store/query.h"

enum member_type {
	MEMBER_IS_FIXED,
	MEMBER_IS_MADE, /* by .text or .write */
	MEMBER_IS_ALL,
	MEMBER_IS_EACH, /* lists of objects */
	MEMBER_IS_REFS,
	MEMBER_IS_TEXT,
	MEMBER_IS_ID,
	MEMBER_IS_INT,    /* in units of 1 << .shift, MiB say */
	MEMBER_IS_DIGITS, /* an int as a text */
	MEMBER_IS_TIME,
	MEMBER_IS_BOOL, /* true and false, or .yes and .no */
	MEMBER_IS_ZERO, /* whether an int is 0 */
	MEMBER_IS_IP,
	MEMBER_IS_MAC,
	MEMBER_IS_NETMASK, /* netmask of an IPv4 CIDR */
};

enum { MEMBER_PATH_MAX = 2 };

struct members;

struct member {
	const char *name;
	enum member_type type;
	/* Path to the row that has the field; JOIN_EACH() leads to the first of several. KIND_NONE ends it. */
	struct query_join path[MEMBER_PATH_MAX];
	size_t offset; /* offset of the field in the row */
	unsigned shift;
	bool is_optional; /* an empty text is left out */
	const char *yes, *no;
	size_t instead;   /* field to show instead of an empty text, as its offset + 1 (FITS) */
	const char *json; /* FIXED: the value */
	struct str (*text)(struct api_call *e, const struct row *row);
	void (*write)(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);
	const char *also;           /* further members that .write writes, "a|b": for the dump of answers */
	const struct members *list; /* EACH, REFS: members of an object; ALL: the other table */
	struct query_join each;     /* EACH */
	enum kind kind;             /* REFS: kind of the rows */
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
		 : MEMBER_IS_TEXT, uuid                                                                      \
		 : MEMBER_IS_ID, int64_t                                                                     \
		 : MEMBER_IS_INT, bool                                                                       \
		 : MEMBER_IS_BOOL, struct ip                                                                 \
		 : MEMBER_IS_IP, struct mac                                                                  \
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
		.name = (member_name), .type = MEMBER_IS_MADE, .text = (function)                            \
	}
/* A text that a function makes of the row that the path leads to. */
#define MEMBER_TEXT_OF(member_name, function, ...)                                                           \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_MADE, .text = (function), .path = { __VA_ARGS__ }   \
	}
#define MEMBER_WRITTEN(member_name, function, ...)                                                           \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_MADE, .write = (function), __VA_ARGS__              \
	}
#define MEMBER_ALL(table)                                                                                    \
	{                                                                                                    \
		.name = "", .type = MEMBER_IS_ALL, .list = &(table)                                          \
	}
#define MEMBER_EACH(member_name, table, kind, index)                                                         \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_EACH, .list = &(table),                             \
		.each = JOIN_EACH(kind, index)                                                               \
	}
#define MEMBER_REFS(T, member_name, table, row_kind, field, ...)                                             \
	{                                                                                                    \
		.name = (member_name), .type = MEMBER_IS_REFS, .list = &(table), .kind = (row_kind),         \
		.offset = offsetof(T, field), __VA_ARGS__                                                    \
	}

/* The first row of the kind whose index begins with the id; tables_next(…, 1) leads to the others. NULL: there is none. */
const struct row *members_find_first(struct api_call *e, enum kind kind, unsigned index, uuid id);

typedef void (*members_write_time)(struct json_writer *w, const char *name, int64_t time_us);

/* The members of the row's object. */
void members_write(struct api_call *e, struct json_writer *w, members_write_time write_time,
		   const struct members *members, const struct row *row);
