/* SPDX-License-Identifier: Apache-2.0
 * What every resource row has, and the tables that describe each kind of row. One TOML file per
 * resource in schema/ is turned by tools/schema.py into a struct (model/<kind>.h), an entry of
 * model_kinds[], the typed accessors (store/<kind>.h), the DDL and the reference documentation.
 * Everything generic (copying, comparing, SQL, audit) walks these tables.
 *
 * A row is one block of memory: the struct, then what its texts and lists point at. A published
 * row is never changed, but for its derived figures (row.usage); a change is a new block. Times are
 * UTC microseconds, sizes bytes. */
#pragma once

#include "base/ip.h"
#include "base/str.h"
#include "base/uuid.h"
#include "model/kinds.h" /* generated: enum kind */

struct row {
	uuid id;
	uint64_t gen;       /* counts wishes: bumped when what is wanted changes, never by what was seen */
	uint64_t commit;    /* the commit that published this version; the store sets it */
	int64_t created_us; /* set once, by the store */
	int64_t updated_us; /* when it was put last: asked to change, or seen so; set by the store */
	int64_t deleted_us; /* 0: live; else since when it is to go: it stays until no driver holds it */
	enum kind kind;     /* set by the store; KIND_NONE: the row was never in it */
	void *usage;        /* derived figures of the schema's [usage], see below; NULL: its kind has none */
};

/* Derived figures (row.usage, a struct <kind>_usage): sums over other rows, counted anew at load, never stored.
 * A resource has one block of them, which all versions of its row share; nothing else of a published row changes.
 * - The store's observer alone writes them, on the committer's thread, with relaxed atomic stores, at once with
 *   every put on the head; it takes back what a failed change had added.
 * - On the committer's thread they are read like any field, and operations decide by them.
 * - A reader of a view may read them on any thread, for as long as it may read the row, each with a relaxed atomic
 *   load (engine_read_host_use, engine_get_usage). It finds them as the head has them: newer than its view, perhaps
 *   by a change that will not be committed, and two of them need not fit together. They may be shown so, and must
 *   decide nothing.
 * - A copy that op_copy_shown makes has figures of its own, as they were then. */

struct tag {
	struct str key, value;
};

/* Sorted by key, no key twice. */
struct tags {
	const struct tag *at;
	size_t count;
};

struct rows {
	const struct row *const *at;
	size_t count;
};

struct cidrs {
	const struct cidr *at;
	size_t count;
};

enum field_type {
	FIELD_UUID,  /* uuid; also ref:<kind> */
	FIELD_TEXT,  /* struct str */
	FIELD_INT,   /* int64_t; also time and bytes */
	FIELD_BOOL,  /* bool */
	FIELD_ENUM,  /* an enum (int); in SQL its word */
	FIELD_IP,    /* struct ip */
	FIELD_CIDR,  /* struct cidr */
	FIELD_MAC,   /* struct mac */
	FIELD_BLOB,  /* struct str of any bytes; secrets are sealed before they come here */
	FIELD_UUIDS, /* struct uuids; also refs:<kind> */
	FIELD_TEXTS, /* struct strs */
	FIELD_IPS,   /* struct ips */
	FIELD_CIDRS, /* struct cidrs */
	FIELD_TAGS,  /* struct tags */
};

/* Who writes a field, as the tables of schema/<kind>.toml are named. model/<kind>.h says of each group whether a
 * change of it raises gen. */
enum field_group {
	FIELD_WANTED,  /* operations of the engine: what somebody asked for */
	FIELD_PLACED,  /* likewise: what the engine chose, drew or copied for that */
	FIELD_SEEN,    /* reports of what was found outside */
	FIELD_HISTORY, /* what happened, and when */
};

struct field {
	const char *name; /* the C member and the SQL column */
	enum field_type type;
	size_t offset;
	enum kind ref;            /* what a ref/refs field points at, or KIND_NONE */
	const char *const *words; /* FIELD_ENUM: the values' words, NULL-ended */
	const char *doc;
	size_t most;       /* bytes of a text, elements of a list; 0: it is neither */
	size_t most_bytes; /* of a list's texts together */
	enum field_group group;
};

enum { INDEX_FIELDS_MAX = 4, INDEXES_MAX = 16, PARENTS_MAX = 4 };

/* Where a row stands in the order in which rows were created: those of one change by their ids. */
struct row_place {
	int64_t created_us;
	uuid id;
};

/* An ordered index. Rows with equal keys are in the order in which they were created (struct row_place). Index 0
 * of every kind is the id: it has no key fields, and its rows are in the order of their ids. */
struct index {
	const char *name;
	unsigned field_count;
	unsigned fields[INDEX_FIELDS_MAX]; /* positions in the kind's table of fields */
	bool unique;                       /* no two live rows have the same key, unless all of it is empty */
	bool hashed; /* the first row and the last one of an id, the index's first field, are found at once */
};

/* One state of a kind, from its schema: an element of model_<kind>_states[] (model/states.h,
 * generated). */
struct state_info {
	const char *name;
	uint32_t to; /* bit set of the states that may follow; 0: it is final */
	const char *ec2, *nova, *cinder, *cloudstack, *azure; /* each face's word; NULL where it has none */
};

struct kind_info {
	enum kind kind;
	const char *name;       /* "security_group" */
	const char *ec2_prefix; /* "sg", or "" where EC2 has no such id */
	const char *doc;
	size_t row_size, usage_size;
	size_t row_max; /* row_block_size() of a row whose fields hold as much as they may */
	/* of the fields of that name; 0: it has none */
	size_t account_offset, tags_offset, groups_offset, launchers_offset, made_by_offset;
	size_t name_offset, device_id_offset;
	size_t peer_account_offset, peer_tags_offset; /* of another account that has tags on the row, too */
	const struct field *fields;
	unsigned field_count;
	const struct index *indexes;
	unsigned index_count;
	unsigned parents[PARENTS_MAX]; /* positions of the refs whose rows it is part of */
	unsigned parent_count;
	const struct state_info *states; /* by enum <kind>_state; NULL: it has none */
	unsigned state_count;
	const char *create_sql; /* CREATE TABLE and its SQL indexes, dialect-neutral */
};

extern const struct kind_info model_kinds[KIND_COUNT];

/* A hash of the DDL and the states of all kinds. A new hash needs a migration
 * (schema/migrations/). */
extern const char model_schema_hash[];

static inline struct row_place row_place_of(const struct row *row)
{
	return (struct row_place){row->created_us, row->id};
}

static inline int row_compare_places(struct row_place a, struct row_place b)
{
	if (a.created_us != b.created_us)
		return a.created_us < b.created_us ? -1 : 1;
	return uuid_compare(a.id, b.id);
}

static inline bool row_is_live(const struct row *r)
{
	return r && r->deleted_us == 0;
}

/* For a function that does nothing but prefetch. GCC takes such a function for one without any effect, and drops the calls
 * that it has not inlined by then. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Asks the processor for the row's fields, for a caller that will read them soon. In a long list
 * each row is somewhere else in memory. */
static ALWAYS_INLINE void row_prefetch(const struct kind_info *k, const struct row *row)
{
	for (size_t at = 0; at < k->row_size; at += 64)
		__builtin_prefetch((const char *) row + at);
}

/* The first field that holds more than its schema allows; NULL: none does. */
const struct field *row_find_too_large(const struct kind_info *k, const struct row *r);
/* The size of a block that holds a copy of the row with all its texts and lists, in bytes. */
size_t row_block_size(const struct kind_info *k, const struct row *r);
/* Makes a deep copy in block, which has row_block_size() bytes and is aligned to 16. */
struct row *row_copy_into(const struct kind_info *k, const struct row *r, void *block);
/* Makes a deep copy in an arena; NULL: the arena is full. */
struct row *row_copy(struct arena *a, const struct kind_info *k, const struct row *r);
/* From one version of a row to the next a [seen] field changes and, though gen is the same, a [wanted] one gets a
 * new value: a report has made itself a wish. To clear a wish that it found met is a report's right. */
bool row_report_sets_wish(const struct kind_info *k, const struct row *before, const struct row *after);
/* Same fields (ids, gen and deleted_us included; commit, created_us, updated_us and usage not). */
bool row_equal(const struct kind_info *k, const struct row *a, const struct row *b);
/* Orders by one field, an enum by its number. */
int row_compare_field(const struct field *f, const struct row *a, const struct row *b);
/* Orders by the first field_count key fields of the index. */
int row_compare_key(const struct kind_info *k, const struct index *x, unsigned field_count,
		    const struct row *a, const struct row *b);
/* Writes a field as text for SQL, dumps and events. "none" is empty, a blob is base64, lists and
 * tags are compact JSON. Texts in lists and tags must be UTF-8, which faces check. p is NULL only
 * if the arena is full. */
struct str row_field_to_text(struct arena *a, const struct field *f, const struct row *r);
/* Reads a field from such a text. Texts and lists are in the arena; the text itself is not kept.
 * ERR_INVALID: the text is not of the field's type. ERR_NO_MEMORY. */
RESULT row_field_from_text(struct arena *a, const struct field *f, struct str text, struct row *ret_row);

/* The tag with that key, or NULL. */
const struct tag *tags_find(struct tags tags, struct str key);
