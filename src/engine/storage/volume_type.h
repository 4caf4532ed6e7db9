/* SPDX-License-Identifier: Apache-2.0
 * Volume types: the operator's names for sorts of volumes. EC2's types exist from the beginning. */
#pragma once

#include "engine/operation.h"
#include "engine/region/offered.h"

struct volume_type;

/* The type that Cinder uses if a call names none. */
#define VOLUME_TYPE_DEFAULT STR("__DEFAULT__")
/* Among its specs: GiB of each volume of a disk offering of CloudStack's. */
#define VOLUME_TYPE_DISK_SIZE "cloudstack:disksize"

/* Makes or changes a type. Only the operator has the permissions volume_type.create, .update and
 * .delete. */
struct volume_type_wish {
	struct ref type; /* by id or name; update only */
	bool set_name, set_description, set_specs;
	struct str name; /* 1 to 255 characters, unique: ERR_EXISTS; ERR_IN_USE: volumes have the old one */
	struct str description;
	enum choice is_public;            /* default: yes, or as it is */
	struct tags specs;                /* all of them */
	struct ref add_user, remove_user; /* an account; kind none */
	struct offered_wish offered;
	/* made: */
	uuid volume_type;
};
OPERATION(engine_create_volume_type, volume_type_wish)
OPERATION(engine_update_volume_type, volume_type_wish)

/* Deletes a type at once. ERR_IN_USE: volumes or images have it. ERR_PROTECTED: it is the
 * default. */
struct volume_type_target {
	struct ref type;
};
OPERATION(engine_delete_volume_type, volume_type_target)

/* How volumes of a type are encrypted: by the hosts, with LUKS, as all encrypted volumes are. Any
 * other description is ERR_INVALID. Needs the permission volume_type.update. ERR_IN_USE with
 * KIND_VOLUME: a volume has the type. */
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
/* Volumes of the type are encrypted from now on. ERR_EXISTS with the field encryption: they are
 * already. */
OPERATION(engine_encrypt_volume_type, volume_type_crypt)
/* Changes the description. ERR_NOT_FOUND: volumes of the type are not encrypted (also for the next
 * operation). */
OPERATION(engine_update_volume_type_crypt, volume_type_crypt)
/* New volumes of the type are no longer encrypted. */
OPERATION(engine_end_volume_type_crypt, volume_type_crypt)

/* Whether several instances may have volumes of the type: the operator says so by its specs. */
bool engine_type_shares(const struct tables *t, struct str type);

/* Whether the caller may use the type: it is public, or the account is one of its users. The
 * operator may use all. */
bool engine_may_use_volume_type(const struct ctx *c, const struct volume_type *type);
