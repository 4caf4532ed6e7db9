/* SPDX-License-Identifier: Apache-2.0
 * OpenStack's parameters by the tables of api/core/params.h: variables of the path, the query, and members of a
 * JSON body; the words of its errors, and the forms of ids and times. All values that are filled in lie in the
 * context's arena. Pure but for the context; any thread. */
#pragma once

#include "api/core/params.h"

enum {
	OS_QUERY_MAX = 500,    /* pairs in a query */
	OS_TEXT_MAX = 255,     /* characters, unless the parameter's row has another limit */
	OS_PATH_SEGMENTS = 12, /* segments of a path */
	OS_VARIABLES_MAX = 4,  /* variables among a path's segments */
};

/* Rows for a member of struct T; a member of another type does not compile. */
#define OS_BODY PARAM
#define OS_PATH(T, name, member, ...) PARAM(T, name, member, .place = IN_PATH, .flags = REQUIRED, __VA_ARGS__)
/* Row for a name in the path, or an id that is no UUID. */
#define OS_PATH_NAME(T, name, member, ...)                                                                   \
	PARAM(T, name, member, .place = IN_PATH, .flags = REQUIRED | BY_NAME, __VA_ARGS__)
#define OS_QUERY(T, name, member, ...) PARAM(T, name, member, .place = IN_QUERY, __VA_ARGS__)
/* Row for a JSON value that is not converted; the member is a struct str. */
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

/* Parts of a request that parameters are read from. */
struct os_request {
	int version;         /* the minor number of the microversion; 0: the service has none */
	struct pairs path;   /* variables by name */
	struct pairs query;  /* decoded, in the order sent; names may repeat */
	bool is_body_open;   /* unknown members are ignored, at every depth */
	const char *unknown; /* words for such a member; NULL: Nova's */
	const json_t *body;  /* object with the members; NULL: none */
};

/* Decodes a query. ERR_INVALID: a broken escape, or no UTF-8; ERR_TOO_LARGE. */
RESULT os_query_parse(struct ctx *c, struct str query, struct pairs *ret_pairs);

/* Fills out, of the table's size and zeroed. Errors as params_fill() has them, in OpenStack's words; and
 * ERR_NOT_FOUND with the kind for an id in the path that cannot be one. */
RESULT os_params_read(struct ctx *c, const struct params *table, const struct os_request *request, void *out);
/* Reads a single value by the row of a body's member, for JSON patches, which no table can express. */
RESULT os_param_read_json(struct ctx *c, const struct param *p, const json_t *value, struct str name,
			  void *out);
/* Reads an id: a whole UUID, with or without dashes; a domain's may be "default". False: not an id. */
bool os_parse_id(struct str text, enum kind kind, struct ref *ret_ref);
/* Reads a boolean by the words of oslo.utils: "yes", "0", "off". False: not a boolean. */
bool os_parse_bool(struct str value, bool *ret_value);
/* Reads a time in ISO 8601 as oslo.utils does: a year alone suffices, and a time without an offset is UTC. False: not a time. */
bool os_read_time(struct str text, int64_t *ret_us);
/* Reads a time by os_read_time(). ERR_INVALID with the field. */
RESULT os_parse_time(struct ctx *c, struct str text, const char *field, int64_t *ret_us);
/* The text that the only of the members (os_params.members) has, which is of that key: ERR_INVALID else. */
RESULT os_params_take_one(struct ctx *c, struct str members, struct str key, struct tags *ret_one);
