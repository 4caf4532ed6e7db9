/* SPDX-License-Identifier: Apache-2.0
 * Ids as written by faces. A resource has a random UUID. EC2's id is the kind's prefix and the UUID's first
 * 17 hex digits ("i-0123456789abcdef0"). A caller's id becomes a struct ref, with which tables find a row
 * independently of the face. Pure; any thread. */
#pragma once

#include "model/row.h"

enum { EC2_ID_TEXT_SIZE = 48 };

/* The id of every region's default domain, whatever its current name. Its first bytes are "default". */
#define DOMAIN_DEFAULT ((uuid){{'d', 'e', 'f', 'a', 'u', 'l', 't', 0, 0x80, 0, 0, 0, 0, 0, 0, 0}})

/* A caller's reference to a resource: leading bits of its UUID, or a name for kinds with names. text: the
 * original, for messages; field: the parameter containing it. */
struct ref {
	enum kind kind;
	uuid prefix;   /* its first `bits` bits, followed by zeros */
	unsigned bits; /* 68 for EC2's ids, 128 for full UUIDs, 0 for a name */
	struct str text;
	struct str field;
};

/* Refers to a known row by its full id, with neither text nor field. */
static inline struct ref ref_by_id(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 8 * sizeof id};
}

/* False: the caller gave no reference. */
static inline bool ref_is_given(const struct ref *ref)
{
	return ref->kind != KIND_NONE;
}

struct refs {
	const struct ref *at;
	size_t count;
};

/* Writes "<prefix>-" and 17 digits (for a fleet the full UUID), for a kind with a prefix. Returns out. */
char *id_write_ec2(enum kind kind, uuid id, char out[static EC2_ID_TEXT_SIZE]);
/* Likewise with another prefix, for associations ("rtbassoc", "eipassoc", "r"). */
char *id_write_prefixed(const char *prefix, uuid id, char out[static EC2_ID_TEXT_SIZE]);
/* Likewise in an arena; empty when the arena is full. */
struct str id_to_ec2(struct arena *a, enum kind kind, uuid id);
/* Likewise, but the full UUID for a kind without a prefix. */
struct str id_to_text(struct arena *a, enum kind kind, uuid id);
struct str id_to_prefixed(struct arena *a, const char *prefix, uuid id);
/* Parses an EC2 id. ERR_MALFORMED: not "<prefix>-" followed by 8 or 17 lower-case hex digits, or a fleet's
 * UUID. An id with 8 digits is well-formed but matches nothing, because none was ever created. text is
 * borrowed. */
RESULT id_parse_ec2(struct str text, enum kind kind, struct ref *ret_ref);
/* Parses an id with any prefix. The ref has no kind. */
RESULT id_parse_prefixed(struct str text, const char *prefix, struct ref *ret_ref);
/* The kind with an EC2 id's prefix, or KIND_NONE: for calls that accept ids of any kind, such as
 * CreateTags. */
enum kind id_kind_of_ec2(struct str text);
/* True if the first bits (0 to 128) are equal. */
bool id_has_prefix(uuid id, uuid prefix, unsigned bits);
/* The switch port that connects a router's metadata and DNS to Dari's machine, and its MAC address. Both are
 * derived from the router's id alone, so they survive restarts. */
uuid model_metadata_port(uuid router);
struct mac model_metadata_mac(uuid router);
/* Generates a UUID for the kind. An instance's starts with bytes ec 2x, so its text starts with "ec2", by
 * which cloud-init recognises EC2. */
uuid id_new(enum kind kind);
