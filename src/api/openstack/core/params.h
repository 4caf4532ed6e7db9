/* SPDX-License-Identifier: Apache-2.0
 * Reading OpenStack's parameters by table: variables of the path, the query, and members of a JSON body. An
 * action declares them as const rows beside its handler; one walker checks a request against them and fills
 * the action's struct, or fails with the parameter at fault. What the service has and we do not is a row,
 * too, and is refused by name. All that is filled in lies in the context's arena. Pure but for the context;
 * any thread. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"
#include "engine/operation.h"

enum {
	OS_QUERY_MAX = 500,    /* pairs in a query */
	OS_DEPTH_MAX = 16,     /* of a body */
	OS_LIST_MAX = 1000,    /* elements, where the row says nothing else */
	OS_TEXT_MAX = 255,     /* characters, where the row says nothing else */
	OS_TABLE_MAX = 64,     /* rows of a table */
	OS_PATH_SEGMENTS = 12, /* of a path */
	OS_VARIABLES_MAX = 4,  /* of them variables */
};

enum os_param_type {
	OS_NOT_BUILT, /* the service has it; given, it is refused, but for the value .only or null */
	OS_TEXT,      /* struct str */
	OS_INT,       /* int64_t; a whole number, or a text of one */
	OS_BOOL,      /* bool; also in words, as clients send it in queries */
	OS_CHOICE,    /* enum choice: true or false, or the words .yes and .no */
	OS_ID,        /* struct ref: a UUID with or without dashes */
	OS_IP,        /* struct ip */
	OS_CIDR,      /* struct cidr */
	OS_MAC,       /* struct mac */
	OS_TEXTS,     /* struct strs: a list; in a query the values of a repeated name */
	OS_IDS,       /* struct refs: likewise */
	OS_TAGS,      /* struct tags: an object of texts */
	OS_OBJECT,    /* a struct within, read by the table .sub */
	OS_LIST,      /* a list of structs, each read by the table .sub */
	OS_JSON,      /* struct str: any value, as compact JSON */
};

enum os_param_flag {
	OS_REQUIRED = 1 << 0,
	OS_NULLABLE = 1 << 1,    /* null is a value: the member stays zero, .given tells */
	OS_BY_NAME = 1 << 2,     /* ID: a name of .kind, or an id that is no UUID (a flavor's) */
	OS_BASE64 = 1 << 3,      /* TEXT: decoded; .max counts bytes then */
	OS_ID_OR_EMPTY = 1 << 4, /* ID: an empty text is none */
	OS_OR_NUMBER = 1 << 5,   /* TEXT: a whole number stands for its digits */
	OS_NULL_ABSENT = 1 << 6, /* null is as if it had not been sent */
};

enum os_param_place { OS_IN_BODY, OS_IN_PATH, OS_IN_QUERY };

struct os_params;

struct os_param {
	const char *wire; /* "name", "OS-DCF:diskConfig" */
	enum os_param_type type;
	enum os_param_place place;
	size_t offset;
	unsigned flags;
	int since, until;  /* microversions that have it; 0: from the first, to the last */
	int64_t min, max;  /* INT: value; TEXT: characters; lists: count. Both 0: the type's own limits */
	const char *words; /* TEXT: "a|b|c": nothing else is accepted */
	const char *yes, *no;
	const char
		*only; /* NOT_BUILT: the values that ask for nothing, as JSON texts without quotes, "a|b" */
	const char *absent; /* TEXT, INT: as if this had been sent; also for null, where it may be */
	enum kind kind;     /* ID */
	size_t given;       /* offset of a bool that tells presence, + 1 */
	const struct os_params *sub;
	const char *doc;
};

struct os_params {
	const struct os_param *at;
	size_t count;
	size_t size;    /* of the struct it fills */
	bool is_open;   /* members that no row has are left alone; else they are refused */
	size_t members; /* offset of a struct str that takes those, as a compact JSON object, + 1; 0: none */
};

#define OS_PARAM_TYPE(T, member)                                                                             \
	_Generic(((T *) 0)->member, struct str                                                               \
		 : OS_TEXT, int64_t                                                                          \
		 : OS_INT, bool                                                                              \
		 : OS_BOOL, enum choice                                                                      \
		 : OS_CHOICE, struct ref                                                                     \
		 : OS_ID, struct ip                                                                          \
		 : OS_IP, struct cidr                                                                        \
		 : OS_CIDR, struct mac                                                                       \
		 : OS_MAC, struct strs                                                                       \
		 : OS_TEXTS, struct refs                                                                     \
		 : OS_IDS, struct tags                                                                       \
		 : OS_TAGS)

/* Rows for a member of struct T; a member of another type does not compile. */
#define OS_BODY(T, name, member, ...)                                                                        \
	{                                                                                                    \
		.wire = (name), .type = OS_PARAM_TYPE(T, member), .offset = offsetof(T, member), __VA_ARGS__ \
	}
#define OS_PATH(T, name, member, ...)                                                                        \
	{                                                                                                    \
		.wire = (name), .type = OS_PARAM_TYPE(T, member), .place = OS_IN_PATH,                       \
		.offset = offsetof(T, member), .flags = OS_REQUIRED, __VA_ARGS__                             \
	}
/* By name, or by an id that is no UUID. */
#define OS_PATH_NAME(T, name, member, ...)                                                                   \
	{                                                                                                    \
		.wire = (name), .type = OS_PARAM_TYPE(T, member), .place = OS_IN_PATH,                       \
		.offset = offsetof(T, member), .flags = OS_REQUIRED | OS_BY_NAME, __VA_ARGS__                \
	}
#define OS_QUERY(T, name, member, ...)                                                                       \
	{                                                                                                    \
		.wire = (name), .type = OS_PARAM_TYPE(T, member), .place = OS_IN_QUERY,                      \
		.offset = offsetof(T, member), __VA_ARGS__                                                   \
	}
/* A value as it is: the member is a struct str. */
#define OS_BODY_JSON(T, name, member, ...)                                                                   \
	{                                                                                                    \
		.wire = (name), .type = OS_JSON,                                                             \
		.offset = offsetof(T, member) + 0 * sizeof(((T *) 0)->member.p), __VA_ARGS__                 \
	}
/* A struct within: the member is of the type that the table fills. */
#define OS_BODY_OBJECT(T, name, member, table, ...)                                                          \
	{                                                                                                    \
		.wire = (name), .type = OS_OBJECT, .offset = offsetof(T, member), .sub = &(table),           \
		__VA_ARGS__                                                                                  \
	}
/* A list of structs: the member is a struct of a pointer to them, `at`, and a `count`. */
#define OS_BODY_LIST(T, name, member, table, ...)                                                            \
	{                                                                                                    \
		.wire = (name), .type = OS_LIST,                                                             \
		.offset = offsetof(T, member) +                                                              \
			  0 * sizeof(((T *) 0)->member.at) * sizeof(((T *) 0)->member.count),                \
		.sub = &(table), __VA_ARGS__                                                                 \
	}
/* Known to the service, needs what is not built. */
#define OS_UNBUILT(name, ...)                                                                                \
	{                                                                                                    \
		.wire = (name), .type = OS_NOT_BUILT, __VA_ARGS__                                            \
	}
#define OS_PARAMS(T, rows, ...)                                                                              \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0], sizeof(T), __VA_ARGS__                               \
	}

/* ---- requests ---- */

struct os_pair {
	struct str name, value;
};

/* In the order sent; a name may stand there again. */
struct os_pairs {
	const struct os_pair *at;
	size_t count;
};

/* What the walker reads from. */
struct os_request {
	int version;           /* the minor number of the microversion; 0: the service has none */
	struct os_pairs path;  /* variables by name */
	struct os_pairs query; /* decoded */
	bool is_query_strict;  /* a name that no row has is refused */
	const json_t *body;    /* the object that holds the members; NULL: there is none */
	struct str body_name;  /* for messages: "server"; empty: the whole body */
};

/* Decodes a query. ERR_INVALID: a broken escape, or no UTF-8; ERR_TOO_LARGE. */
RESULT os_query_parse(struct ctx *c, struct str query, struct os_pairs *ret_pairs);
/* The first value of that name; p is NULL when absent. */
struct str os_query_find(const struct os_pairs *pairs, const char *name);

/* Fills out, of the table's size and zeroed. ERR_MISSING, ERR_INVALID, ERR_UNKNOWN, ERR_UNSUPPORTED,
 * ERR_TOO_LARGE, each with the parameter's name as field; ERR_NOT_FOUND with the kind for an id in the path
 * that cannot be one. */
RESULT os_params_read(struct ctx *c, const struct os_params *table, const struct os_request *request,
		      void *out);
/* One value as a row of a body's reads it, for what no table can say: JSON patches. */
RESULT os_param_read_json(struct ctx *c, const struct os_param *p, const json_t *value, struct str name,
			  void *out);
/* A text as an id: a whole UUID, with or without dashes; a domain's may be "default". False: it is none. */
bool os_parse_id(struct str text, enum kind kind, struct ref *ret_ref);
/* A time as clients write it, in UTC whether they say so or not. ERR_INVALID with the field. */
RESULT os_parse_time(struct ctx *c, struct str text, const char *field, int64_t *ret_us);
/* The text that the only of the members (os_params.members) has, which is of that key: ERR_INVALID else. */
RESULT os_params_take_one(struct ctx *c, struct str members, struct str key, struct tags *ret_one);
