/* SPDX-License-Identifier: Apache-2.0
 * What must not leave the region is taken out of a text that goes to a desk: keys, passwords, tokens, signatures; names of
 * the operator's machines become names that stand for them. Whatever is taken out leaves "[removed: kind]". Pure;
 * any thread. */
#pragma once

#include "base/str.h"

struct redact_name {
	struct str name, stands_for; /* "hv1", "host-3f9a0c1d" */
};

struct redact_rules {
	struct strs exact; /* the account's own secrets and key ids, of 8 characters at least */
	const struct redact_name *names;
	size_t name_count;
};

/* rules NULL: the shapes alone. ret_count: how many secrets were taken out. ERR_NO_MEMORY. */
RESULT redact_text(struct arena *a, struct str text, const struct redact_rules *rules, struct str *ret_text,
		   size_t *ret_count);
/* Whether a file of that type and size is looked through: text of up to 1 MiB. */
bool redact_looks_into(struct str media_type, int64_t size);
/* "host-3f9a0c1d": the same for the same name, and nobody can tell the name from it who has not the key. */
struct str redact_pseudonym(struct arena *a, const uint8_t *key, size_t key_size, const char *word,
			    struct str name);
