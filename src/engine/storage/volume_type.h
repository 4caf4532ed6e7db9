/* SPDX-License-Identifier: Apache-2.0
 * Volume types: the operator's names for volumes. Those of EC2 are there from the beginning. */
#pragma once

#include "engine/operation.h"

struct volume_type;

/* What Cinder takes where nothing is said. */
#define VOLUME_TYPE_DEFAULT STR("__DEFAULT__")

/* Permissions volume_type.create, .update, .delete: the operator's. */
struct volume_type_wish {
	struct ref type; /* by id or name; update only */
	bool set_name, set_description, set_specs;
	struct str name; /* 1 to 255 characters, unique: ERR_EXISTS; ERR_IN_USE: volumes have the old one */
	struct str description;
	enum choice is_public;            /* default: yes, or as it is */
	struct tags specs;                /* all of them */
	struct ref add_user, remove_user; /* an account; kind none */
	/* made: */
	uuid volume_type;
};
OPERATION(engine_create_volume_type, volume_type_wish)
OPERATION(engine_update_volume_type, volume_type_wish)

/* ERR_IN_USE: volumes or images have it; ERR_PROTECTED: it is the default. Gone at once. */
struct volume_type_target {
	struct ref type;
};
OPERATION(engine_delete_volume_type, volume_type_target)

/* How volumes of a type are encrypted: with LUKS, by the hosts, as all encrypted volumes are. Other words for
 * it are ERR_INVALID. Permission volume_type.update. ERR_IN_USE, KIND_VOLUME: a volume has the type. */
struct volume_type_crypt {
	struct ref type;
	bool set_provider, set_cipher, set_key_size, set_place;
	struct str provider; /* luks */
	struct str cipher;   /* aes-xts-plain64; empty: unsaid */
	int64_t key_size;    /* 256 bits; 0: unsaid */
	struct str place;    /* front-end */
	/* made: */
	uuid volume_type;
};
/* From now on they are. ERR_EXISTS, field encryption: they are already. */
OPERATION(engine_encrypt_volume_type, volume_type_crypt)
/* What is set is said of them. ERR_NOT_FOUND: they are not encrypted; of the next, too. */
OPERATION(engine_update_volume_type_crypt, volume_type_crypt)
/* No longer. */
OPERATION(engine_end_volume_type_crypt, volume_type_crypt)

/* Public, or the account is one of its users; the operator's are all. */
bool engine_may_use_volume_type(const struct ctx *c, const struct volume_type *type);
