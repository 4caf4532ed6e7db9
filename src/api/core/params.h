/* SPDX-License-Identifier: Apache-2.0
 * Reading parameters by table. An action declares its parameters as const rows beside its handler; one walker
 * checks a request's documents against them and fills the action's struct, or fails with the parameter at fault.
 * A parameter that the API has and Dari does not is also a row, and is refused by name. A const struct
 * params_dialect of the face holds the differences between protocols: words of errors, the form of ids, the
 * meaning of unknown names. Values lie in the context's arena. Pure but for the context; any thread. */
#pragma once

#include <assert.h>

#include "api/core/document.h"
#include "engine/operation.h"

enum {
	PARAM_LIST_MAX = DOCUMENT_INDEX_MAX, /* maximum number of elements, unless the row has another */
	PARAM_TABLE_MAX = 160,               /* maximum number of rows of a table */
};

enum param_type {
	PARAM_NOT_BUILT, /* parameters that Dari does not implement: each is refused, except with the values .only or null */
	PARAM_TEXT,    /* struct str */
	PARAM_INT,     /* int64_t: a whole number, or a text of one */
	PARAM_BOOL,    /* bool */
	PARAM_CHOICE,  /* enum choice: true or false, or the words .yes and .no */
	PARAM_ID,      /* struct ref */
	PARAM_IP,      /* struct ip */
	PARAM_CIDR,    /* struct cidr */
	PARAM_MAC,     /* struct mac */
	PARAM_TEXTS,   /* struct strs: a list */
	PARAM_IDS,     /* struct refs: a list */
	PARAM_IPS,     /* struct ips: a list */
	PARAM_TAGS,    /* struct tags: an object of texts; of pairs a list of such objects, all in one */
	PARAM_STRUCT,  /* a struct within, read by the table .sub */
	PARAM_STRUCTS, /* a list of structs, each read by the table .sub */
	PARAM_JSON,    /* struct str: any value, as compact JSON */
	/* Parameters that the API itself ignores; .doc names the source */
	PARAM_PASSED_OVER,
};
/* Tables by type have this size. */
enum { PARAM_TYPE_COUNT = PARAM_PASSED_OVER + 1 };

enum param_flag {
	REQUIRED = 1 << 0,
	BASE64 = 1 << 1,        /* TEXT: decodes it; .max then counts bytes */
	BY_NAME = 1 << 2,       /* ID: a name of .kind, or an id in another form than the dialect's */
	ANY_KIND = 1 << 3,      /* ID: its prefix determines the kind */
	IPV6 = 1 << 4,          /* IP, CIDR: IPv6, for APIs with separate parameters for it */
	NULLABLE = 1 << 5,      /* null is a value: the value stays zero, and counts as given */
	NULL_ABSENT = 1 << 6,   /* null counts as absent */
	ID_OR_EMPTY = 1 << 7,   /* ID: an empty text means no row */
	OR_NUMBER = 1 << 8,     /* TEXT: a whole number stands for its digits */
	ONE_OR_LIST = 1 << 9,   /* TEXTS: one text stands for a list of it */
	MAY_BE_EMPTY = 1 << 10, /* TEXT with REQUIRED: an empty text counts as given */
	ANY_FAMILY = 1 << 11,   /* IP, CIDR: IPv4 or IPv6, in a dialect that tells them apart */
	OPPOSITE = 1 << 12,     /* BOOL, CHOICE: the member is the opposite: is_down of "admin_state_up" */
};

enum param_place { IN_BODY, IN_PATH, IN_QUERY };

struct params;

/* A parameter that excludes another. Both given: ERR_COMBINATION with the API's sentence, before the value is read. */
struct param_exclusion {
	const char *wire, *says;
};

/* A row. There are thousands, each in private memory because the loader relocates its pointers. So members of different
 * types share their place, and the functions below read them. */
struct param {
	/* "BlockDeviceMapping", "Ebs.VolumeSize", "OS-DCF:diskConfig"; NOT_BUILT, PASSED_OVER: "a|b|c" */
	const char *wire;
	const char *doc;
	/* INT: value; TEXT: characters; TEXTS: characters of each; STRUCTS: count. Both 0: the type's own limits */
	int64_t min, max;
	union {
		/* TEXT, TEXTS: "a|b|c": nothing else is accepted */
		const char *words;
		/* CHOICE: with .no */
		const char *yes;
		/* ID, IDS: prefix, if another than the kind's */
		const char *prefix;
		/* NOT_BUILT: values that ask for nothing and are accepted, "a|b"; JSON texts without quotes */
		const char *only;
		/* STRUCT, STRUCTS */
		const struct params *sub;
	};
	union {
		/* TEXT: the API's sentence about a word that is not in .words; ends in a space */
		const char *remark;
		/* CHOICE */
		const char *no;
		/* ID: the word that means no row: a ref of the kind with bits = 0 */
		const char *none;
	};
	const char *
		absent; /* TEXT, INT, ID: value for an absent parameter, and for null where that is allowed */
	union {
		/* TEXT with words, CIDR: the API's whole message about another value */
		const char *says;
		/* ID */
		const struct param_exclusion *excludes;
	};
	enum param_type type : 8;
	enum param_place place : 8;
	unsigned flags : 16;
	unsigned since : 8, until : 8; /* first and last version of the API that has it; 0: no limit */
	enum kind kind : 8;            /* ID, IDS */
	bool is_at : 1;                /* the member points to the value; NULL: the parameter is not given */
	uint16_t offset;
	uint16_t given; /* offset of a bool that is set if the parameter is present, + 1 */
	uint16_t field; /* offset of a struct str that receives the parameter's whole name, + 1 */
	uint16_t fits;  /* filter of a list: offset of the row's field that must be equal, + 1 (FITS) */
};
static_assert(KIND_COUNT < 256, "kinds fit a parameter's row");

#define FITS(row_type, member) (offsetof(struct row_type, member) + 1)

struct params {
	const struct param *at;
	size_t count;
	size_t size;    /* size of the struct that it fills */
	bool is_open;   /* ignores members without a row, whatever the dialect says */
	size_t members; /* offset of a struct str that receives those as a compact JSON object, + 1; 0: none */
	const char
		*object; /* the API's name for what the table reads: "VirtualMachineProperties"; NULL: none */
};

static inline bool param_is_text(const struct param *p)
{
	return p->type == PARAM_TEXT || p->type == PARAM_TEXTS;
}
static inline bool param_is_id(const struct param *p)
{
	return p->type == PARAM_ID || p->type == PARAM_IDS;
}
/* The row's member of that name; NULL: none is given, or the type has no such member. */
static inline const char *param_words(const struct param *p)
{
	return param_is_text(p) ? p->words : NULL;
}
static inline const char *param_remark(const struct param *p)
{
	return param_is_text(p) ? p->remark : NULL;
}
static inline const char *param_yes(const struct param *p)
{
	return p->type == PARAM_CHOICE ? p->yes : NULL;
}
static inline const char *param_no(const struct param *p)
{
	return p->type == PARAM_CHOICE ? p->no : NULL;
}
static inline const char *param_prefix(const struct param *p)
{
	return param_is_id(p) ? p->prefix : NULL;
}
static inline const char *param_none(const struct param *p)
{
	return param_is_id(p) ? p->none : NULL;
}
static inline const char *param_only(const struct param *p)
{
	return p->type == PARAM_NOT_BUILT ? p->only : NULL;
}
static inline const struct params *param_sub(const struct param *p)
{
	return p->type == PARAM_STRUCT || p->type == PARAM_STRUCTS ? p->sub : NULL;
}
static inline const struct param_exclusion *param_excludes(const struct param *p)
{
	return param_is_id(p) ? p->excludes : NULL;
}
static inline const char *param_says(const struct param *p)
{
	return param_is_id(p) ? NULL : p->says;
}

#define PARAM_TYPE(T, member)                                                                                \
	_Generic(((T *) 0)->member, struct str                                                               \
		 : PARAM_TEXT, const struct str *                                                            \
		 : PARAM_TEXT, const struct ref *                                                            \
		 : PARAM_ID, const struct ip *                                                               \
		 : PARAM_IP, const struct strs *                                                             \
		 : PARAM_TEXTS, const int64_t *                                                              \
		 : PARAM_INT, int64_t                                                                        \
		 : PARAM_INT, bool                                                                           \
		 : PARAM_BOOL, enum choice                                                                   \
		 : PARAM_CHOICE, struct ref                                                                  \
		 : PARAM_ID, struct ip                                                                       \
		 : PARAM_IP, struct cidr                                                                     \
		 : PARAM_CIDR, struct mac                                                                    \
		 : PARAM_MAC, struct strs                                                                    \
		 : PARAM_TEXTS, struct refs                                                                  \
		 : PARAM_IDS, struct ips                                                                     \
		 : PARAM_IPS, struct tags                                                                    \
		 : PARAM_TAGS)

/* True for a member that points to its value: NULL tells an update that leaves the value unchanged from one that sets it. */
#define PARAM_IS_AT(T, member)                                                                               \
	_Generic(((T *) 0)->member, const struct str *                                                       \
		 : true, const struct ref *                                                                  \
		 : true, const struct ip *                                                                   \
		 : true, const struct strs *                                                                 \
		 : true, const int64_t *                                                                     \
		 : true, default                                                                             \
		 : false)

/* A row for a member of struct T; a member of another type does not compile. */
#define PARAM(T, name, member, ...)                                                                          \
	{                                                                                                    \
		.wire = (name), .type = PARAM_TYPE(T, member), .is_at = PARAM_IS_AT(T, member),              \
		.offset = offsetof(T, member), __VA_ARGS__                                                   \
	}
/* A struct within: the member is of the type that the table fills. */
#define PARAM_OBJECT(T, name, member, table, ...)                                                            \
	{                                                                                                    \
		.wire = (name), .type = PARAM_STRUCT, .offset = offsetof(T, member), .sub = &(table),        \
		__VA_ARGS__                                                                                  \
	}
/* A list of structs: the member is a struct of a pointer to them, `at`, and a `count`. */
#define PARAM_LIST(T, name, member, table, ...)                                                              \
	{                                                                                                    \
		.wire = (name), .type = PARAM_STRUCTS,                                                       \
		.offset = offsetof(T, member) +                                                              \
			  0 * sizeof(((T *) 0)->member.at) * sizeof(((T *) 0)->member.count),                \
		.sub = &(table), __VA_ARGS__                                                                 \
	}
/* Parameters of the API that Dari does not implement: names between bars. */
#define NOT_BUILT(name, ...)                                                                                 \
	{                                                                                                    \
		.wire = (name), .type = PARAM_NOT_BUILT, __VA_ARGS__                                         \
	}
/* Names between bars that the API itself ignores; source: the evidence. */
#define PASSED_OVER(names, source)                                                                           \
	{                                                                                                    \
		.wire = (names), .type = PARAM_PASSED_OVER, .doc = (source)                                  \
	}
#define PARAMS(T, rows, ...)                                                                                 \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0], sizeof(T), __VA_ARGS__                               \
	}

/* ---- dialects ---- */

/* Faults of a parameter, with the placeholders that their messages may use. */
enum params_fault {
	FAULT_MISSING,
	FAULT_UNKNOWN,
	FAULT_UNBUILT,
	FAULT_UNBUILT_ELSE, /* only {only} is supported */
	FAULT_TYPE,         /* not {type} */
	FAULT_WORDS,        /* none of {words} */
	FAULT_CHOICE,       /* neither {yes} nor {no} */
	FAULT_BOOL,
	FAULT_INT,
	FAULT_INT_BELOW, /* {number} is not within {min} to {max} */
	FAULT_INT_ABOVE,
	FAULT_TEXT_SHORT, /* {number} characters, not {min} to {max} */
	FAULT_TEXT_LONG,
	FAULT_ELEMENT, /* the same for an element of a list; without words: those of a text */
	FAULT_BASE64,
	FAULT_BYTES, /* {number} bytes when decoded, {max} at most */
	FAULT_IP,
	FAULT_IPV6,
	FAULT_CIDR,
	FAULT_MAC,
	FAULT_ID,
	FAULT_INDEX,   /* an element's number is not within {min} to {max} */
	FAULT_COUNT,   /* a list of {number} elements, {max} at most; 0: the number is unknown */
	FAULT_MEMBERS, /* an object of {number} members, not {min} to {max} */
	FAULT_KINDS
};

enum params_rule {
	ABSENT_IF_EMPTY = 1 << 0,     /* an empty value counts as absent */
	ABSENT_IF_EMPTY_ID = 1 << 1,  /* an empty id, or an empty required value, counts as absent */
	UNKNOWN_IS_IGNORED = 1 << 2,  /* at every depth */
	UNKNOWN_BY_OWN_NAME = 1 << 3, /* the message has the member's own name, without its parents' */
	ONLY_IN_ANY_CASE = 1 << 4, /* letter case of .only does not matter; WORDS_IN_ANY_CASE implies this */
	IP_OF_ANY_FAMILY = 1 << 5, /* without it: IPv4, or IPv6 with the flag IPV6 */
	SMALL_NAMES = 1 << 6,      /* {parameter} has a small first letter in each of its parts */
	/* {parameter} is the name of the member, "tags.1.member.key"; for an element of a list it is the list's, "tagKeys" */
	MEMBER_NAMES = 1 << 7,
	NULLS_ARE_ABSENT = 1 << 8, /* NULL_ABSENT for each row */
	WORDS_IN_ANY_CASE =
		1 << 9, /* letter case of .words does not matter; the value is the row's spelling */
	EMPTY_ASKS_NOTHING = 1 << 10, /* false, {} and [] count as null for NOT_BUILT rows without .only */
	MAC_IN_ANY_FORM = 1 << 11,    /* mac_parse_any(); without it only colons separate bytes */
};

/* A value, with its row, for reading it or for a message about it. */
struct params_value {
	const struct param *p;
	struct str field, text;
	const char *object; /* FAULT_UNKNOWN: .object of the table that has no such row; NULL: it has none */
};

/* A walk through one request. */
struct params_reader {
	struct ctx *c;
	const struct params_dialect *dialect;
	int version;
	bool is_copied; /* copies texts, because the JSON is freed before the call ends */
	const char *const *common;
};

/* A face's dialect. Placeholders of its words: {field}, the whole name; {parameter}, the name by SMALL_NAMES and
 * MEMBER_NAMES; {name}, the row's; {value}, and {start} of a long one; {type}; {object}; the row's {words}, {remark}, {yes},
 * {no} and {only}; {number}, {min}, {max}. */
struct params_dialect {
	/* NULL: the core's words (params_text.c). FAULT_TYPE without words is reported as an unknown parameter */
	const char *words[FAULT_KINDS];
	const char *comma; /* between {words} */
	unsigned rules;    /* enum params_rule */
	size_t text_max;   /* maximum number of characters, unless the row has another */
	char separator;    /* between the elements of a list in one text; 0: a text is one element */
	const char *
		list_suffix; /* suffix of lists' names: the name without it and without a value is an empty list; NULL */
	bool (*parse_bool)(struct str text, bool *ret_value); /* NULL: true or false in any case */
	/* NULL: an id is a whole UUID with dashes, and a BY_NAME value is always a name. */
	RESULT (*read_id)(const struct params_reader *r, const struct params_value *v, struct ref *out);
};

/* Fails with the dialect's message, the field, and the value as the subject. A missing list of ids carries its kind. */
RESULT params_fail(const struct params_reader *r, enum params_fault fault, const struct params_value *v);
/* The same with {number}, {min} and {max}. */
RESULT params_fail_number(const struct params_reader *r, enum params_fault fault,
			  const struct params_value *v, int64_t number, int64_t min, int64_t max);

/* ---- reading ---- */

struct params_request {
	const struct params_dialect *dialect;
	int version; /* version of the API, for .since and .until; 0: it has no versions */
	struct document path, query, body;
	bool is_query_open;        /* ignores names in the query without a row */
	const char *const *common; /* NULL-ended: names that every call ignores; NULL: none */
};

/* Fills out, of the table's size and zeroed. ERR_MISSING, ERR_INVALID, ERR_MALFORMED (with the kind),
 * ERR_UNKNOWN, ERR_UNSUPPORTED, ERR_TOO_LARGE, each with the parameter's name as field. */
RESULT params_fill(struct ctx *c, const struct params *table, const struct params_request *request,
		   void *out);
/* Reads one value by a row, for requests that no table describes, such as JSON patches. */
RESULT params_fill_one(struct ctx *c, const struct params_dialect *dialect, const struct param *p,
		       const struct document *value, struct str field, void *out);
/* Reads a text by the row's type, which for a list is the type of an element. */
RESULT params_read_text(const struct params_reader *r, const struct params_value *v, void *out);
/* Reads a text within the row's bounds, or bytes in base64. */
RESULT params_read_string(const struct params_reader *r, const struct params_value *v, struct str *out);
/* Checks that a whole number is within the row's bounds. */
RESULT params_check_int(const struct params_reader *r, const struct params_value *v, int64_t number,
			int64_t *out);
/* A name with a small first letter in each of its parts: "ebs.volumeSize". In the arena. */
struct str params_small_name(struct arena *a, struct str name);
/* The same for a member, by the rule MEMBER_NAMES. */
struct str params_member_name(struct arena *a, struct str name);
/* Number of characters of UTF-8. */
size_t params_count_characters(struct str text);
/* True if the value is one of the words between bars; "" contains the empty word. */
bool params_has_word(const char *words, struct str value);
