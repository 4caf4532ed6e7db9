/* SPDX-License-Identifier: Apache-2.0
 * Ids as faces write them. A resource has a random UUID. EC2's id is the prefix of its kind and the
 * first 17 hex digits of the UUID ("i-0123456789abcdef0"). What a caller sends becomes a struct
 * ref, by which tables find a row without knowing the face. Pure; any thread. */
#pragma once

#include "model/row.h"

enum { EC2_ID_TEXT_SIZE = 48 };

/* The id of the domain that every region has, whatever its name is by now. Its first bytes are
 * "default". */
#define DOMAIN_DEFAULT ((uuid){{'d', 'e', 'f', 'a', 'u', 'l', 't', 0, 0x80, 0, 0, 0, 0, 0, 0, 0}})

/* A resource as a caller named it: by the leading bits of its UUID, or by a name where the kind has
 * names. text is what the caller sent, for messages; field is the parameter that it came in. */
struct ref {
	enum kind kind;
	uuid prefix;   /* its first `bits` bits; the rest is zero */
	unsigned bits; /* 68 for EC2's ids, 128 for whole UUIDs, 0 for a name */
	struct str text;
	struct str field;
};

/* To a row that is known, by its whole id, as if a caller had named it without a word. */
static inline struct ref ref_by_id(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 8 * sizeof id};
}

/* False: the caller named nothing. */
static inline bool ref_is_given(const struct ref *ref)
{
	return ref->kind != KIND_NONE;
}

struct refs {
	const struct ref *at;
	size_t count;
};

/* Writes "<prefix>-" and 17 digits, of a fleet the whole UUID, for a kind that has a prefix. Returns out. */
char *id_write_ec2(enum kind kind, uuid id, char out[static EC2_ID_TEXT_SIZE]);
/* The same with another prefix, for associations ("rtbassoc", "eipassoc", "r"). */
char *id_write_prefixed(const char *prefix, uuid id, char out[static EC2_ID_TEXT_SIZE]);
/* The same in an arena; empty when the arena is full. */
struct str id_to_ec2(struct arena *a, enum kind kind, uuid id);
/* The same, but the whole UUID for a kind without a prefix. */
struct str id_to_text(struct arena *a, enum kind kind, uuid id);
struct str id_to_prefixed(struct arena *a, const char *prefix, uuid id);
/* Reads an EC2 id. ERR_MALFORMED: it is not "<prefix>-" and 8 or 17 lower-case hex digits, or a fleet's UUID. An id of
 * 8 digits is well-formed and names nothing, because none was ever given out. text is borrowed. */
RESULT id_parse_ec2(struct str text, enum kind kind, struct ref *ret_ref);
/* Reads an id with any prefix. The ref has no kind. */
RESULT id_parse_prefixed(struct str text, const char *prefix, struct ref *ret_ref);
/* The kind whose prefix an EC2 id has, or KIND_NONE: for calls that take ids of any kind, such as
 * CreateTags. */
enum kind id_kind_of_ec2(struct str text);
/* Whether the first bits (0 to 128) of both are the same. */
bool id_has_prefix(uuid id, uuid prefix, unsigned bits);
/* The switch port by which a router's metadata and DNS are plugged into Dari's own machine, and its
 * MAC address. Both follow from the router's id alone, so they are the same after every restart. */
uuid model_metadata_port(uuid router);
struct mac model_metadata_mac(uuid router);
/* A new UUID for the kind. An instance's begins with the bytes ec 2x, so that its text begins with
 * "ec2", by which cloud-init recognises EC2. */
uuid id_new(enum kind kind);
