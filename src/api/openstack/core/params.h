/* SPDX-License-Identifier: Apache-2.0
 * OpenStack's parameters by the tables of api/core/params.h: variables of the path, the query, and members of a
 * JSON body; the words of its errors, and what it takes for an id or a time. All that is filled in lies in the
 * context's arena. Pure but for the context; any thread. */
#pragma once

#include "api/core/params.h"

enum {
	OS_QUERY_MAX = 500,    /* pairs in a query */
	OS_TEXT_MAX = 255,     /* characters, where the row says nothing else */
	OS_PATH_SEGMENTS = 12, /* of a path */
	OS_VARIABLES_MAX = 4,  /* of them variables */
};

/* Rows for a member of struct T; a member of another type does not compile. */
#define OS_BODY PARAM
#define OS_PATH(T, name, member, ...)                                                                        \
	{                                                                                                    \
		.wire = (name), .type = PARAM_TYPE(T, member), .place = IN_PATH,                             \
		.offset = offsetof(T, member), .flags = REQUIRED, __VA_ARGS__                                \
	}
/* By name, or by an id that is no UUID. */
#define OS_PATH_NAME(T, name, member, ...)                                                                   \
	{                                                                                                    \
		.wire = (name), .type = PARAM_TYPE(T, member), .place = IN_PATH,                             \
		.offset = offsetof(T, member), .flags = REQUIRED | BY_NAME, __VA_ARGS__                      \
	}
#define OS_QUERY(T, name, member, ...) PARAM(T, name, member, .place = IN_QUERY, __VA_ARGS__)
/* A value as it is: the member is a struct str. */
#define OS_BODY_JSON(T, name, member, ...)                                                                   \
	{                                                                                                    \
		.wire = (name), .type = PARAM_JSON,                                                          \
		.offset = offsetof(T, member) + 0 * sizeof(((T *) 0)->member.p), __VA_ARGS__                 \
	}
#define OS_BODY_OBJECT PARAM_OBJECT
#define OS_BODY_LIST PARAM_LIST
#define OS_UNBUILT NOT_BUILT
#define OS_PARAMS PARAMS
#define OS_NO_PARAMS                                                                                         \
	{                                                                                                    \
		.size = 1                                                                                    \
	}

/* ---- requests ---- */

/* What is read from. */
struct os_request {
	int version;         /* the minor number of the microversion; 0: the service has none */
	struct pairs path;   /* variables by name */
	struct pairs query;  /* decoded, in the order sent; a name may stand there again */
	bool is_body_open;   /* a member that no row has is passed over, at every depth */
	const char *unknown; /* words for such a member; NULL: Nova's */
	const json_t *body;  /* the object that holds the members; NULL: there is none */
};

/* Decodes a query. ERR_INVALID: a broken escape, or no UTF-8; ERR_TOO_LARGE. */
RESULT os_query_parse(struct ctx *c, struct str query, struct pairs *ret_pairs);

/* Fills out, of the table's size and zeroed. Errors as params_fill() has them, in OpenStack's words; and
 * ERR_NOT_FOUND with the kind for an id in the path that cannot be one. */
RESULT os_params_read(struct ctx *c, const struct params *table, const struct os_request *request, void *out);
/* One value as a row of a body's reads it, for what no table can say: JSON patches. */
RESULT os_param_read_json(struct ctx *c, const struct param *p, const json_t *value, struct str name,
			  void *out);
/* A text as an id: a whole UUID, with or without dashes; a domain's may be "default". False: it is none. */
bool os_parse_id(struct str text, enum kind kind, struct ref *ret_ref);
/* A truth as oslo.utils reads words for it: "yes", "0", "off". False: it is none. */
bool os_parse_bool(struct str value, bool *ret_value);
/* Reads a time as clients write it: ISO 8601 as oslo.utils reads it, down to a year alone, in UTC where no offset is said.
 * False: it is none. */
bool os_read_time(struct str text, int64_t *ret_us);
/* The same. ERR_INVALID with the field. */
RESULT os_parse_time(struct ctx *c, struct str text, const char *field, int64_t *ret_us);
/* The text that the only of the members (os_params.members) has, which is of that key: ERR_INVALID else. */
RESULT os_params_take_one(struct ctx *c, struct str members, struct str key, struct tags *ret_one);
