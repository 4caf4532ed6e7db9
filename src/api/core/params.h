/* SPDX-License-Identifier: Apache-2.0
 * Reading parameters by table. An action declares its parameters as const rows beside its handler; one walker
 * checks a request's documents against them and fills the action's struct, or fails with the parameter at fault.
 * What the API has and Dari does not is a row, too, and is refused by name. How the protocols differ is a const
 * struct params_dialect of the face: the words of its errors, how ids look, what an unknown name means. All that
 * is filled in lies in the context's arena. Pure but for the context; any thread. */
#pragma once

#include <assert.h>

#include "api/core/document.h"
#include "engine/operation.h"

enum {
	PARAM_LIST_MAX = DOCUMENT_INDEX_MAX, /* elements, where the row says nothing else */
	PARAM_TABLE_MAX = 160,               /* rows of a table */
};

enum param_type {
	PARAM_NOT_BUILT, /* the API has them; given, each is refused, but for the values .only, or null */
	PARAM_TEXT,      /* struct str */
	PARAM_TEXT_AT,   /* const struct str *: NULL where it is not given */
	PARAM_INT,       /* int64_t: a whole number, or a text of one */
	PARAM_BOOL,      /* bool */
	PARAM_CHOICE,    /* enum choice: true or false, or the words .yes and .no */
	PARAM_ID,        /* struct ref */
	PARAM_IP,        /* struct ip */
	PARAM_CIDR,      /* struct cidr */
	PARAM_MAC,       /* struct mac */
	PARAM_TEXTS,     /* struct strs: a list */
	PARAM_IDS,       /* struct refs: a list */
	PARAM_IPS,       /* struct ips: a list */
	PARAM_TAGS,      /* struct tags: an object of texts; of pairs a list of such objects, all in one */
	PARAM_STRUCT,    /* a struct within, read by the table .sub */
	PARAM_STRUCTS,   /* a list of structs, each read by the table .sub */
	PARAM_JSON,      /* struct str: any value, as compact JSON */
	/* The API takes them and does nothing: they are passed over, as .doc's source shows */
	PARAM_PASSED_OVER,
};
/* Tables by type have this size. */
enum { PARAM_TYPE_COUNT = PARAM_PASSED_OVER + 1 };

enum param_flag {
	REQUIRED = 1 << 0,
	BASE64 = 1 << 1,        /* TEXT: decoded; .max counts bytes then */
	BY_NAME = 1 << 2,       /* ID: a name of .kind, or an id in another form than the dialect's */
	ANY_KIND = 1 << 3,      /* ID: of whatever kind its prefix says */
	IPV6 = 1 << 4,          /* IP, CIDR: of IPv6, where the API has parameters of its own for it */
	NULLABLE = 1 << 5,      /* null is a value: the member stays zero, .given tells */
	NULL_ABSENT = 1 << 6,   /* null is as if it had not been sent */
	ID_OR_EMPTY = 1 << 7,   /* ID: an empty text is none */
	OR_NUMBER = 1 << 8,     /* TEXT: a whole number stands for its digits */
	ONE_OR_LIST = 1 << 9,   /* TEXTS: one text stands for a list of it */
	MAY_BE_EMPTY = 1 << 10, /* TEXT that is REQUIRED: an empty one is given */
	ANY_FAMILY = 1 << 11,   /* IP, CIDR: IPv4 or IPv6, in a dialect that tells them apart */
};

enum param_place { IN_BODY, IN_PATH, IN_QUERY };

struct params;

/* Together with that other parameter a value is not even read: ERR_COMBINATION, and what the API says then. */
struct param_exclusion {
	const char *wire, *says;
};

/* There are thousands of rows, and each is in memory of the process's own, for the loader writes its pointers. So what
 * only one type has shares its place with what only another one has: read it through the functions below. */
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
		/* ID, IDS: another one than its kind's */
		const char *prefix;
		/* NOT_BUILT: the values that ask for nothing, "a|b"; JSON texts without quotes */
		const char *only;
		/* STRUCT, STRUCTS */
		const struct params *sub;
	};
	union {
		/* TEXT: what the API itself says of a word that is none of them; ends in a space */
		const char *remark;
		/* CHOICE */
		const char *no;
		/* ID: the word for no row: a ref of the kind with bits = 0 */
		const char *none;
	};
	const char *absent; /* TEXT, INT, ID: as if this had been sent; also for null, where it may be */
	union {
		/* TEXT with words, CIDR: the whole of what the API itself says of another value */
		const char *says;
		/* ID */
		const struct param_exclusion *excludes;
	};
	enum param_type type : 8;
	enum param_place place : 8;
	unsigned flags : 16;
	unsigned since : 8, until : 8; /* versions of the API that have it; 0: from the first, to the last */
	enum kind kind : 8;            /* ID, IDS */
	uint16_t offset;
	uint16_t given; /* offset of a bool that tells presence, + 1 */
	uint16_t field; /* offset of a struct str that takes the parameter's whole name, + 1 */
	uint16_t fits;  /* of a list's filter: offset of the row's field that it is to equal, + 1 (FITS) */
};
static_assert(KIND_COUNT < 256, "kinds fit a parameter's row");

#define FITS(row_type, member) (offsetof(struct row_type, member) + 1)

struct params {
	const struct param *at;
	size_t count;
	size_t size;    /* of the struct it fills */
	bool is_open;   /* members that no row has are left alone, whatever the dialect says */
	size_t members; /* offset of a struct str that takes those, as a compact JSON object, + 1; 0: none */
	const char
		*object; /* the API's name for what the table reads: "VirtualMachineProperties"; NULL: none */
};

static inline bool param_is_text(const struct param *p)
{
	return p->type == PARAM_TEXT || p->type == PARAM_TEXT_AT || p->type == PARAM_TEXTS;
}
static inline bool param_is_id(const struct param *p)
{
	return p->type == PARAM_ID || p->type == PARAM_IDS;
}
/* What the row has of that name; NULL: nothing, or its type has none. */
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
		 : PARAM_TEXT_AT, int64_t                                                                    \
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

/* A row for a member of struct T; a member of another type does not compile. */
#define PARAM(T, name, member, ...)                                                                          \
	{                                                                                                    \
		.wire = (name), .type = PARAM_TYPE(T, member), .offset = offsetof(T, member), __VA_ARGS__    \
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
/* Known to the API, needs what is not built: one name, or several between bars. */
#define NOT_BUILT(name, ...)                                                                                 \
	{                                                                                                    \
		.wire = (name), .type = PARAM_NOT_BUILT, __VA_ARGS__                                         \
	}
/* Names between bars that the API itself passes over; source: what proves it. */
#define PASSED_OVER(names, source)                                                                           \
	{                                                                                                    \
		.wire = (names), .type = PARAM_PASSED_OVER, .doc = (source)                                  \
	}
#define PARAMS(T, rows, ...)                                                                                 \
	{                                                                                                    \
		(rows), sizeof(rows) / sizeof(rows)[0], sizeof(T), __VA_ARGS__                               \
	}

/* ---- dialects ---- */

/* What may be wrong with a parameter, and what there is to say of it. */
enum params_fault {
	FAULT_MISSING,
	FAULT_UNKNOWN,
	FAULT_UNBUILT,
	FAULT_UNBUILT_ELSE, /* all but {only} is not supported */
	FAULT_TYPE,         /* not {type} */
	FAULT_WORDS,        /* none of {words} */
	FAULT_CHOICE,       /* neither {yes} nor {no} */
	FAULT_BOOL,
	FAULT_INT,
	FAULT_INT_BELOW, /* {number} is not within {min} to {max} */
	FAULT_INT_ABOVE,
	FAULT_TEXT_SHORT, /* {number} characters, not {min} to {max} */
	FAULT_TEXT_LONG,
	FAULT_ELEMENT, /* the same of a list's element; no words: those of a text */
	FAULT_BASE64,
	FAULT_BYTES, /* {number} bytes when decoded, {max} at most */
	FAULT_IP,
	FAULT_IPV6,
	FAULT_CIDR,
	FAULT_MAC,
	FAULT_ID,
	FAULT_INDEX,   /* an element's number is not within {min} to {max} */
	FAULT_COUNT,   /* a list of more than {max} elements; {number}, 0 if that is not known */
	FAULT_MEMBERS, /* an object of {number} members, not {min} to {max} */
	FAULT_KINDS
};

enum params_rule {
	ABSENT_IF_EMPTY = 1 << 0,     /* an empty value is as good as none */
	ABSENT_IF_EMPTY_ID = 1 << 1,  /* the same for ids, and for what is required */
	UNKNOWN_IS_IGNORED = 1 << 2,  /* at every depth */
	UNKNOWN_BY_OWN_NAME = 1 << 3, /* the name at fault is the member's, without what stands before it */
	ONLY_IN_ANY_CASE = 1 << 4,    /* .only in any case, too: WORDS_IN_ANY_CASE implies this */
	IP_OF_ANY_FAMILY = 1 << 5,    /* else of IPv4, or with the flag IPV6 of IPv6 */
	SMALL_NAMES = 1 << 6,         /* {parameter} has a small first letter in each of its parts */
	/* And is a member's: "tags.1.member.key"; of an element the list's: "tagKeys". */
	MEMBER_NAMES = 1 << 7,
	NULLS_ARE_ABSENT = 1 << 8,    /* as if each row said NULL_ABSENT */
	WORDS_IN_ANY_CASE = 1 << 9,   /* one of .words is one in any case, and read as the row has it */
	EMPTY_ASKS_NOTHING = 1 << 10, /* false, {} and [] of what is not built and has no .only are as null */
	MAC_IN_ANY_FORM = 1 << 11,    /* mac_parse_any(); else with colons alone */
};

/* One value that is read, or at fault. */
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
	bool is_copied; /* texts are of JSON, which ends before the call does */
	const char *const *common;
};

/* A face's own. Words have {field}, the whole name; {parameter}, the same as SMALL_NAMES says; {name}, the row's;
 * {value}, {start} of a long one; {type}; {object}; {words}, {remark}, {yes}, {no}, {only} as the row has them; {number}, {min}, {max}. */
struct params_dialect {
	/* NULL: the words of the core (params_text.c); none for FAULT_TYPE: it is told as an unknown parameter */
	const char *words[FAULT_KINDS];
	const char *comma;       /* between {words} */
	unsigned rules;          /* enum params_rule */
	size_t text_max;         /* characters, where the row says nothing else */
	char separator;          /* between elements that one text holds; 0: it is one element */
	const char *list_suffix; /* of rows that are lists: without it, and empty, an empty list; NULL */
	bool (*parse_bool)(struct str text, bool *ret_value); /* NULL: true or false in any case */
	/* NULL: an id is a whole UUID with dashes; BY_NAME a name, whatever it looks like. */
	RESULT (*read_id)(const struct params_reader *r, const struct params_value *v, struct ref *out);
};

/* Records the fault in the dialect's words, with the field, and the value as the subject. A list of ids that is
 * missing has its kind. */
RESULT params_fail(const struct params_reader *r, enum params_fault fault, const struct params_value *v);
/* The same with {number}, {min} and {max}. */
RESULT params_fail_number(const struct params_reader *r, enum params_fault fault,
			  const struct params_value *v, int64_t number, int64_t min, int64_t max);

/* ---- reading ---- */

struct params_request {
	const struct params_dialect *dialect;
	int version; /* of the API, for .since and .until; 0: it has none */
	struct document path, query, body;
	bool is_query_open;        /* names in the query that no row has are left alone */
	const char *const *common; /* NULL-ended: names known everywhere, and left alone; NULL: none */
};

/* Fills out, of the table's size and zeroed. ERR_MISSING, ERR_INVALID, ERR_MALFORMED (with the kind),
 * ERR_UNKNOWN, ERR_UNSUPPORTED, ERR_TOO_LARGE, each with the parameter's name as field. */
RESULT params_fill(struct ctx *c, const struct params *table, const struct params_request *request,
		   void *out);
/* One value as a row reads it, for what no table can say: JSON patches. */
RESULT params_fill_one(struct ctx *c, const struct params_dialect *dialect, const struct param *p,
		       const struct document *value, struct str field, void *out);
/* A text as the row's type reads it, an element of it if that is a list. */
RESULT params_read_text(const struct params_reader *r, const struct params_value *v, void *out);
/* A text within the row's bounds, or bytes in base64. */
RESULT params_read_string(const struct params_reader *r, const struct params_value *v, struct str *out);
/* A whole number within the row's bounds. */
RESULT params_check_int(const struct params_reader *r, const struct params_value *v, int64_t number,
			int64_t *out);
/* A name with a small first letter in each of its parts: "ebs.volumeSize". In the arena. */
struct str params_small_name(struct arena *a, struct str name);
/* The same of a member, as MEMBER_NAMES says. */
struct str params_member_name(struct arena *a, struct str name);
/* Of UTF-8. */
size_t params_count_characters(struct str text);
/* Whether the value is one of the words between bars; "" holds the empty one. */
bool params_has_word(const char *words, struct str value);
