/* SPDX-License-Identifier: Apache-2.0
 * Reading EC2's parameters by table. An action declares its parameters as const rows beside its
 * handler; one walker checks a request against them and fills the action's struct, or fails with
 * EC2's own words for the parameter at fault. What EC2 has and we do not is a row, too, and is refused by
 * name; what EC2 has not is ERR_UNKNOWN. Pure but for the context; any thread. */
#pragma once

#include "base/ctx.h"
#include "engine/operation.h"

enum {
	PARAM_COUNT_MAX = 2000, /* in a request */
	PARAM_INDEX_MAX = 1000, /* of a list */
	PARAM_TEXT_MAX = 1024,  /* characters, where the row says nothing else */
	PARAM_TABLE_MAX = 160,  /* rows of a table */
};

enum param_type {
	PARAM_NOT_BUILT, /* EC2 has it; given, it is refused, but for the value .only */
	PARAM_TEXT,      /* struct str */
	PARAM_INT,       /* int64_t */
	PARAM_BOOL,      /* bool */
	PARAM_CHOICE,    /* enum choice: true or false, or the words .yes and .no */
	PARAM_ID,        /* struct ref */
	PARAM_IP,        /* struct ip */
	PARAM_CIDR,      /* struct cidr */
	PARAM_TEXTS,     /* struct strs: Name.1, Name.2, … */
	PARAM_IDS,       /* struct refs */
	PARAM_IPS,       /* struct ips */
	PARAM_TABLE,     /* a list of structs, each read by the table .sub */
};

enum param_flag {
	REQUIRED = 1 << 0,
	BASE64 = 1 << 1,   /* TEXT: decoded; .max counts bytes then */
	BY_NAME = 1 << 2,  /* ID: a name of .kind */
	ANY_KIND = 1 << 3, /* ID: of whatever kind its prefix says */
	IPV6 = 1 << 4,     /* IP, CIDR: of IPv6, which has parameters of its own */
};

struct params;

struct param {
	const char *wire; /* "BlockDeviceMapping", "Ebs.VolumeSize" */
	enum param_type type;
	size_t offset;
	unsigned flags;
	int64_t min, max;  /* INT: value; TEXT: characters; lists: count. Both 0: the type's own limits */
	const char *words; /* TEXT: "a|b|c": nothing else is accepted */
	const char *yes, *no;
	const char *only;   /* NOT_BUILT: the values that ask for nothing, in lower case, "a|b" */
	const char *absent; /* TEXT, INT: as if this had been sent */
	enum kind kind;     /* ID */
	const char *prefix; /* ID: another one than its kind's */
	const char *none;   /* ID: the word for no row: a ref of the kind with bits = 0 */
	size_t given;       /* offset of a bool that tells presence, + 1 */
	size_t field;       /* offset of a struct str that takes the parameter's whole name, + 1 */
	const struct params *sub;
	const char *doc;
};

struct params {
	const struct param *at;
	size_t count;
	size_t size; /* of the struct it fills */
};

#define PARAM_TYPE(T, member)                                                                                \
	_Generic(((T *) 0)->member, struct str                                                               \
		 : PARAM_TEXT, int64_t                                                                       \
		 : PARAM_INT, bool                                                                           \
		 : PARAM_BOOL, enum choice                                                                   \
		 : PARAM_CHOICE, struct ref                                                                  \
		 : PARAM_ID, struct ip                                                                       \
		 : PARAM_IP, struct cidr                                                                     \
		 : PARAM_CIDR, struct strs                                                                   \
		 : PARAM_TEXTS, struct refs                                                                  \
		 : PARAM_IDS, struct ips                                                                     \
		 : PARAM_IPS)

/* A row for a member of struct T; a member of another type does not compile. */
#define PARAM(T, name, member, ...)                                                                          \
	{                                                                                                    \
		.wire = (name), .type = PARAM_TYPE(T, member), .offset = offsetof(T, member), __VA_ARGS__    \
	}
/* A list of structs: the member is a struct of a pointer to them, `at`, and a `count`. */
#define PARAM_LIST(T, name, member, table, ...)                                                              \
	{                                                                                                    \
		.wire = (name), .type = PARAM_TABLE,                                                         \
		.offset = offsetof(T, member) +                                                              \
			  0 * sizeof(((T *) 0)->member.at) * sizeof(((T *) 0)->member.count),                \
		.sub = &(table), __VA_ARGS__                                                                 \
	}
/* Known to EC2, needs what is not built. */
#define NOT_BUILT(name, ...)                                                                                 \
	{                                                                                                    \
		.wire = (name), .type = PARAM_NOT_BUILT, __VA_ARGS__                                         \
	}
#define PARAMS(T, rows)                                                                                      \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0], sizeof(T)                                            \
	}

/* ---- requests ---- */

struct pair {
	struct str name, value;
};

/* Sorted by name, numbers within names by value; no name twice. */
struct pairs {
	const struct pair *at;
	size_t count;
};

/* Decodes query and form, leaving out what belongs to the signature. ERR_INVALID: a broken escape, text
 * that XML cannot hold, a name twice; ERR_TOO_LARGE. */
RESULT params_parse(struct ctx *c, struct str query, struct str form, struct pairs *ret_pairs);
/* The value of that name; p is NULL when absent. */
struct str params_find(const struct pairs *pairs, const char *name);
/* What a call names, as the subject of its audit record (api/core/audit.h): the parameters that name people, keys,
 * roles, machines, and no other. a NULL: it has none. */
struct audit_call;
void params_add_subject(struct audit_call *a, const struct pairs *pairs);
/* Of a list that names what is to be shown: an empty one names all. */
bool params_is_asked(struct strs names, struct str name);
/* SHA-256 in hex over all pairs but those named (NULL-ended), for tokens; in the arena. */
struct str params_digest(struct ctx *c, const struct pairs *pairs, const char *const *but);

/* Fills out, of the table's size and zeroed, from the pairs; `common` rows are known and left
 * alone. ERR_MISSING, ERR_INVALID, ERR_MALFORMED (with the kind), ERR_UNKNOWN, ERR_UNSUPPORTED,
 * ERR_TOO_LARGE, each with the parameter's name as field. */
RESULT params_read(struct ctx *c, const struct params *table, const char *const *common,
		   const struct pairs *pairs, void *out);
/* Of two parameters that name the same thing the one that was given. ERR_COMBINATION: both;
 * ERR_MISSING: neither. */
RESULT params_choose(struct ctx *c, const struct ref *one, const char *one_wire, const struct ref *other,
		     const char *other_wire, struct ref *ret_ref);
