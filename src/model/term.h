/* SPDX-License-Identifier: Apache-2.0
 * Terms: what a row can be found by although no index of its schema can hold it. These are its
 * state, which is derived; its tags, security groups and launchers (of a snapshot: restorers), of
 * which a row has several; and its name and device, which most rows do not have. A term is the hash of the owner's account and of the words. The
 * account's id, which no client knows, keeps others from making terms that collide. Whoever finds a
 * row by a term still compares it with what is sought. Pure; any thread. */
#pragma once

#include "model/row.h"

/* How many terms a row has, which follows from the row. Its terms always have the same order. */
size_t terms_count(const struct kind_info *k, const struct row *row);
uint64_t terms_get(const struct kind_info *k, const struct row *row, size_t number);

/* The term of rows of that account which are in that state, in that group, or have such a tag. */
uint64_t term_of_state(uuid account, unsigned state);
uint64_t term_of_group(uuid account, uuid group);
/* Whether names of the kind are the region's: of users, their groups and projects. */
static inline bool term_is_of_region(enum kind kind)
{
	return kind == KIND_USER || kind == KIND_USER_GROUP || kind == KIND_ACCOUNT;
}
/* The term of rows of that account (none: the names are the region's) which have that name, or that text for
 * the device they are of. */
uint64_t term_of_name(uuid account, struct str name);
uint64_t term_of_device(uuid account, struct str device_id);
/* The term of rows of any owner that this account may launch. */
uint64_t term_of_launcher(uuid account);
/* Term of the images, of any owner, that every account may launch and that lists show when asked for them. */
uint64_t term_of_community(void);
uint64_t term_of_tag_key(uuid account, struct str key);
uint64_t term_of_tag(uuid account, struct str key, struct str value);
/* The term of rows of that account which have any tag. */
uint64_t term_of_tagged(uuid account);
