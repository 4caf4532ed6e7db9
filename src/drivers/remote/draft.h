/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: a machine that is being read from an answer. Drafts bound every text and list, and
 * keep only what the schema of remote_machine allows. Pure; any thread. */
#pragma once

#include "base/vec.h"
#include "drivers/remote.h"
#include "model/remote_machine.h"

enum {
	DRAFT_ID_MAX = 255,
	DRAFT_WORD_MAX = 64,
	DRAFT_LIST_MAX = 64,
	DRAFT_IPS_MAX = 32,
	DRAFT_TAGS_MAX = 50
};

/* Ids without duplicates. */
struct draft_ids {
	struct str at[DRAFT_LIST_MAX];
	size_t count;
};

struct draft_ips {
	struct ip at[DRAFT_IPS_MAX];
	size_t count;
};

/* All texts belong to the arena, or to an answer that outlives draft_end(). */
struct machine_draft {
	struct remote_machine machine;
	struct draft_ids subnets, groups, volumes;
	struct draft_ips private_ips, public_ips;
	struct tag tags[DRAFT_TAGS_MAX];
	size_t tag_count;
	struct str operation; /* EC2's usage operation, or a licence's text; empty: none */
};

struct remote_machines {
	VEC(struct remote_machine);
};

/* Ids go into requests and policies' resources: letters, digits and a few signs. */
bool draft_is_id(struct str s);
/* Cuts longer texts; a text with control characters counts as absent. */
void draft_put_text(struct str *field, struct str text, size_t most);
/* Ignores texts that are no ids, and ids beyond `most`. */
void draft_add_id(struct draft_ids *list, struct str text, size_t most);
/* Ignores texts that are no addresses. */
void draft_add_ip(struct draft_ips *list, struct str text);
void draft_add_tag(struct machine_draft *d, struct str key, struct str value);
/* Tag with the licences of a machine whose cloud has no billing codes, or whose owner knows better. */
#define REMOTE_LICENCE_TAG "dari:licence"
/* A sorted copy in the arena. Keeps one of several tags with the same key. */
struct tags draft_sort_tags(struct arena *a, struct tag *tags, size_t count);
/* Adds the machine to the list, with its lists sorted, because clouds change the order between answers, and that is
 * no change of the machine. ERR_IO: the machine has no id, or the page has too many machines. */
RESULT draft_end(struct ctx *c, struct machine_draft *d, struct remote_machines *list);
