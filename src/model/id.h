/* SPDX-License-Identifier: Apache-2.0
 * Ids as faces write them. A resource has a random UUID; EC2's id is the kind's prefix and the
 * UUID's first 17 hex digits ("i-0123456789abcdef0"). What a caller sends becomes a struct ref,
 * which tables can look up without knowing the face. Pure; any thread. */
#pragma once

#include "model/row.h"

enum { EC2_ID_TEXT_SIZE = 40 };

/* The domain that every region has, whatever it is called by now: "default" in its first bytes. */
#define DOMAIN_DEFAULT ((uuid){{'d', 'e', 'f', 'a', 'u', 'l', 't', 0, 0x80, 0, 0, 0, 0, 0, 0, 0}})

/* A resource as a caller named it: the leading bits of its UUID, or a name where the kind has
 * names. text is what was sent, for messages; field the parameter it came in. */
struct ref {
	enum kind kind;
	uuid prefix;   /* first `bits` bits; the rest zero */
	unsigned bits; /* 68 for EC2 ids, 128 for whole UUIDs, 0: by name */
	struct str text;
	struct str field;
};

/* False: the caller named nothing. */
static inline bool ref_is_given(const struct ref *ref)
{
	return ref->kind != KIND_NONE;
}

struct refs {
	const struct ref *at;
	size_t count;
};

/* "<prefix>-" and 17 digits, for a kind that has a prefix; returns out. */
char *id_write_ec2(enum kind kind, uuid id, char out[static EC2_ID_TEXT_SIZE]);
/* The same under another prefix (associations: "rtbassoc", "eipassoc", "r"). */
char *id_write_prefixed(const char *prefix, uuid id, char out[static EC2_ID_TEXT_SIZE]);
/* The same in an arena; empty when it is full. */
struct str id_to_ec2(struct arena *a, enum kind kind, uuid id);
/* The same, or the whole UUID where the kind has no prefix. */
struct str id_to_text(struct arena *a, enum kind kind, uuid id);
struct str id_to_prefixed(struct arena *a, const char *prefix, uuid id);
/* ERR_MALFORMED when text is not "<prefix>-" and 8 or 17 lower-case hex digits. Ids of 8
 * digits are well-formed and refer to nothing, since none was ever given out. text is borrowed. */
RESULT id_parse_ec2(struct str text, enum kind kind, struct ref *ret_ref);
/* Under any prefix; the ref has no kind. */
RESULT id_parse_prefixed(struct str text, const char *prefix, struct ref *ret_ref);
/* The kind that an EC2 id's prefix names, or KIND_NONE: for CreateTags and other generic calls. */
enum kind id_kind_of_ec2(struct str text);
/* Whether the first bits (0 to 128) of both are the same. */
bool id_has_prefix(uuid id, uuid prefix, unsigned bits);
/* The switch port by which a router's metadata and DNS are plugged into dari's machine, and its MAC:
 * they follow from the router alone, so they are the same after every restart. */
uuid model_metadata_port(uuid router);
struct mac model_metadata_mac(uuid router);
/* A fresh UUID for the kind; an instance's begins with the bytes ec 2x so that its text starts
 * with "ec2", by which cloud-init recognises EC2. */
uuid id_new(enum kind kind);
