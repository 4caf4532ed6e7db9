/* SPDX-License-Identifier: Apache-2.0
 * Removes secrets from text sent to a desk: keys, passwords, tokens, signatures; and replaces names of the
 * operator's machines by pseudonyms. Removed text becomes "[removed: kind]". Pure; any thread. */
#pragma once

#include "base/str.h"

struct redact_name {
	struct str name, stands_for; /* "hv1" and "host-3f9a0c1d" */
};

struct redact_rules {
	struct strs exact; /* the account's secrets and key ids, at least 8 characters each */
	const struct redact_name *names;
	size_t name_count;
};

/* rules NULL: patterns only. ret_count: number of removed secrets. ERR_NO_MEMORY. */
RESULT redact_text(struct arena *a, struct str text, const struct redact_rules *rules, struct str *ret_text,
		   size_t *ret_count);
/* True if a file of that type and size is searched: text up to 1 MiB. */
bool redact_looks_into(struct str media_type, int64_t size);
/* "host-3f9a0c1d": constant for a name, and not reversible without the key. */
struct str redact_pseudonym(struct arena *a, const uint8_t *key, size_t key_size, const char *word,
			    struct str name);
