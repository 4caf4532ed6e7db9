/* SPDX-License-Identifier: Apache-2.0
 * Terms: search keys of a row that schema indexes can't hold. These are its derived state; its tags, security
 * groups and launchers (for a snapshot: restorers), of which a row has several; and its name and device,
 * which most rows lack. A term is a hash of the owner's account and the words. Including the account's id,
 * which clients don't know, prevents crafted collisions. Rows found by a term must still be compared with the
 * search. Pure; any thread. */
#pragma once

#include "model/row.h"

/* The number of terms of a row, in a fixed order determined by the row. */
size_t terms_count(const struct kind_info *k, const struct row *row);
uint64_t terms_get(const struct kind_info *k, const struct row *row, size_t number);

/* The term for an account's rows in that state, in that group, or with such a tag. */
uint64_t term_of_state(uuid account, unsigned state);
uint64_t term_of_group(uuid account, uuid group);
/* True if names of the kind are unique in the region: users, user groups and projects. */
static inline bool term_is_of_region(enum kind kind)
{
	return kind == KIND_USER || kind == KIND_USER_GROUP || kind == KIND_ACCOUNT;
}
/* The term for an account's rows (none: region-wide names) with that name, or for that device text. */
uint64_t term_of_name(uuid account, struct str name);
uint64_t term_of_device(uuid account, struct str device_id);
/* The term for rows of any owner that this account may launch. */
uint64_t term_of_launcher(uuid account);
/* The term for images of any owner that every account may launch and that lists show on request. */
uint64_t term_of_community(void);
uint64_t term_of_tag_key(uuid account, struct str key);
uint64_t term_of_tag(uuid account, struct str key, struct str value);
/* The term for an account's rows with any tag. */
uint64_t term_of_tagged(uuid account);
