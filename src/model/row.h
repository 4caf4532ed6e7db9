/* SPDX-License-Identifier: Apache-2.0
 * Common fields of all resource rows, and the tables describing each kind. tools/schema.py turns each
 * resource's TOML file in schema/ into a struct (model/<kind>.h), an entry of model_kinds[], typed accessors
 * (store/<kind>.h), DDL and reference documentation. Generic code (copying, comparing, SQL, audit) uses these
 * tables.
 *
 * A row is one block of memory: the struct, followed by its texts and lists. A published row is immutable
 * except for its derived figures (row.usage); a change creates a new block. Times are UTC microseconds, sizes
 * bytes. */
#pragma once

#include "base/ip.h"
#include "base/reads.h"
#include "base/str.h"
#include "base/uuid.h"
#include "model/kinds.h" /* generated: enum kind */

struct row {
	uuid id;
	uint64_t gen;       /* generation of the wish: incremented when wanted values change, never by seen
			     * ones */
	uint64_t commit;    /* commit that published this version; set by the store */
	int64_t created_us; /* set once by the store */
	int64_t updated_us; /* last put, of wanted or seen values; set by the store */
	int64_t deleted_us; /* 0: live; otherwise time of the deletion request: the row remains until no
			     * driver holds it */
	enum kind kind;     /* set by the store; KIND_NONE: never stored */
	void *usage;        /* derived figures by [usage] in the schema, see below; NULL: the kind has none */
};

/* The row's figures, for readers: an answer that shows them is not kept longer than they are right. */
static inline void *row_figures(const struct row *row)
{
	reads_note_figures();
	return row->usage;
}

/* Derived figures (row.usage, a struct <kind>_usage): sums over other rows, recalculated at load and never
 * stored. A resource has one block of them, shared by all versions of its row; nothing else of a published
 * row changes.
 *
 * - Only the store's observer writes them, on the committer's thread, with relaxed atomic stores, together
 *   with every put on the head; it reverts the effect of a failed change.
 * - On the committer's thread they are read like any field, and operations may decide by them.
 * - A view's reader may read them on any thread while it may read the row, each with a relaxed atomic load
 *   (engine_read_host_use, engine_get_usage). It sees the head's values: newer than its view, possibly of a
 *   change that will not be committed, and two of them may be inconsistent. So they may be displayed, but
 *   must not decide anything.
 * - A copy made by op_copy_shown has its own figures, as of that moment. */

struct tag {
	struct str key, value;
};

/* Sorted by key, without duplicate keys. A copy of a row sorts its lists, so an operation need not. */
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
	FIELD_ENUM,  /* an enum (int); its word in SQL */
	FIELD_IP,    /* struct ip */
	FIELD_CIDR,  /* struct cidr */
	FIELD_MAC,   /* struct mac */
	FIELD_BLOB,  /* struct str of any bytes; secrets are already sealed */
	FIELD_UUIDS, /* struct uuids; also refs:<kind> */
	FIELD_TEXTS, /* struct strs */
	FIELD_IPS,   /* struct ips */
	FIELD_CIDRS, /* struct cidrs */
	FIELD_TAGS,  /* struct tags */
};

/* The writer of a field, by the tables of schema/<kind>.toml. model/<kind>.h documents for each group whether
 * changes raise gen. */
enum field_group {
	FIELD_WANTED,  /* operations of the engine: a user's request */
	FIELD_PLACED,  /* likewise: values chosen, generated or copied for it by the engine */
	FIELD_SEEN,    /* reports of observations */
	FIELD_HISTORY, /* events and their times */
};

struct field {
	const char *name; /* C member and SQL column */
	enum field_type type;
	size_t offset;
	enum kind ref;            /* target kind of a ref/refs field, or KIND_NONE */
	const char *const *words; /* FIELD_ENUM: the values' words, NULL-terminated */
	const char *doc;
	size_t most;       /* maximum bytes of a text, or elements of a list; 0: neither */
	size_t most_bytes; /* total of a list's texts */
	enum field_group group;
};

enum { INDEX_FIELDS_MAX = 4, INDEXES_MAX = 16, PARENTS_MAX = 4 };

/* A row's position in creation order; rows of the same change are ordered by id. */
struct row_place {
	int64_t created_us;
	uuid id;
};

/* An ordered index. Rows with equal keys are in creation order (struct row_place). Index 0 of every kind is
 * the id, without key fields, ordered by id. */
struct index {
	const char *name;
	unsigned field_count;
	unsigned fields[INDEX_FIELDS_MAX]; /* positions in the kind's field table */
	bool unique;                       /* no two live rows have the same key, except an entirely empty
					    * one */
	bool hashed; /* the first and last row for an id (the index's first field) are found in constant
		      * time */
};

/* A state of a kind from its schema: an element of model_<kind>_states[] (model/states.h, generated). */
struct state_info {
	const char *name;
	uint32_t to;                                          /* bit set of possible next states; 0: final */
	const char *ec2, *nova, *cinder, *cloudstack, *azure; /* each face's word; NULL: none */
};

struct kind_info {
	enum kind kind;
	const char *name;       /* "security_group" */
	const char *ec2_prefix; /* "sg"; "": EC2 has no such ids */
	const char *doc;
	size_t row_size, usage_size;
	size_t row_max; /* row_block_size() of a row with all fields at their maximum */
	/* offsets of the fields with these names; 0: none */
	size_t account_offset, tags_offset, groups_offset, launchers_offset, made_by_offset, made_with_offset;
	size_t name_offset, device_id_offset;
	size_t peer_account_offset, peer_tags_offset; /* a second account that also has tags on the row */
	const struct field *fields;
	unsigned field_count;
	const struct index *indexes;
	unsigned index_count;
	unsigned parents[PARENTS_MAX]; /* positions of the refs to rows that it is part of */
	unsigned parent_count;
	const struct state_info *states; /* by enum <kind>_state; NULL: none */
	unsigned state_count;
	const char *create_sql; /* CREATE TABLE and its indexes, dialect-neutral */
};

extern const struct kind_info model_kinds[KIND_COUNT];

/* A hash of all kinds' DDL and states. A new hash needs a migration (schema/migrations/). */
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

/* Needed by functions that only prefetch. GCC treats such a function as free of effects and drops calls not
 * inlined before that analysis. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Prefetches the row's fields for a caller that will read them soon: in a long list, rows are scattered in
 * memory. */
static ALWAYS_INLINE void row_prefetch(const struct kind_info *k, const struct row *row)
{
	for (size_t at = 0; at < k->row_size; at += 64)
		__builtin_prefetch((const char *) row + at);
}

/* The first field exceeding its schema's limits; NULL: none. */
const struct field *row_find_too_large(const struct kind_info *k, const struct row *r);
/* The bytes needed for a copy of the row with all its texts and lists. */
size_t row_block_size(const struct kind_info *k, const struct row *r);
/* Makes a deep copy in block, which has row_block_size() bytes and 16-byte alignment. */
struct row *row_copy_into(const struct kind_info *k, const struct row *r, void *block);
/* Makes a deep copy in an arena; NULL: the arena is full. */
struct row *row_copy(struct arena *a, const struct kind_info *k, const struct row *r);
/* True if a report has wrongly changed a wish: between two versions with the same gen, a [seen] field changed
 * and a [wanted] one got a new value. A report may clear a wish that it found fulfilled. */
bool row_report_sets_wish(const struct kind_info *k, const struct row *before, const struct row *after);
/* Compares all fields including ids, gen and deleted_us; commit, created_us, updated_us and usage are
 * ignored. */
bool row_equal(const struct kind_info *k, const struct row *a, const struct row *b);
/* Compares by one field, an enum by its number. */
int row_compare_field(const struct field *f, const struct row *a, const struct row *b);
/* Compares by the index's first field_count key fields. */
int row_compare_key(const struct kind_info *k, const struct index *x, unsigned field_count,
		    const struct row *a, const struct row *b);
/* Writes a field as text for SQL, dumps and events. "none" is empty, a blob is base64, lists and tags are
 * compact JSON. Texts in lists and tags must be UTF-8, which faces check. p NULL: the arena is full. */
struct str row_field_to_text(struct arena *a, const struct field *f, const struct row *r);
/* Parses such a text. Texts and lists are copied to the arena. ERR_INVALID: wrong type. ERR_NO_MEMORY. */
RESULT row_field_from_text(struct arena *a, const struct field *f, struct str text, struct row *ret_row);

/* Sorts a list by key. */
void tags_sort(struct tag *at, size_t count);
/* The tag with that key, or NULL. */
const struct tag *tags_find(struct tags tags, struct str key);
