/* SPDX-License-Identifier: Apache-2.0
 * Terms: what a row is sought by that no index of its schema can hold: its state, which is derived,
 * and its tags, security groups and launchers (of a snapshot: restorers), of which it has several. A term is
 * the hash of the owner's account and of the words; the account's id, which no client knows, keeps others
 * from making terms that meet. What is found by a term is compared with what is sought all the same. Pure;
 * any thread. */
#pragma once

#include "model/row.h"

/* The row's terms, always in the same order; how many there are follows from the row. */
size_t terms_count(const struct kind_info *k, const struct row *row);
uint64_t terms_get(const struct kind_info *k, const struct row *row, size_t number);

/* The terms of rows of that account which are in that state, in that group, or have such a tag. */
uint64_t term_of_state(uuid account, unsigned state);
uint64_t term_of_group(uuid account, uuid group);
/* Of whatever owner's rows that this account may launch. */
uint64_t term_of_launcher(uuid account);
uint64_t term_of_tag_key(uuid account, struct str key);
uint64_t term_of_tag(uuid account, struct str key, struct str value);
/* Of those that have any. */
uint64_t term_of_tagged(uuid account);
