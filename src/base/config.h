/* SPDX-License-Identifier: Apache-2.0
 * Parses the configuration file: YAML (libyaml) with two levels of mappings, whose values are scalars or
 * lists of scalars. A table declares each key's type, default and range. An unknown key is an error that
 * names the key and its line. */
#pragma once

#include "base/ctx.h"

enum config_type { CONFIG_TEXT, CONFIG_INT, CONFIG_BOOL, CONFIG_TEXTS };

struct config_key {
	const char *name; /* "listen.api" */
	enum config_type type;
	size_t offset;      /* offset of a struct str, int64_t, bool or struct strs in the config struct */
	const char *absent; /* default as text; NULL: empty */
	int64_t min, max;   /* CONFIG_INT; both 0: unchecked */
	bool is_file; /* CONFIG_TEXT: the path of a file that the program needs, such as a certificate */
	const char *doc;
};

/* Sets *out by the table, starting with the defaults. Strings are in c's arena. ERR_INVALID with the line. */
RESULT config_parse(struct ctx *c, struct str yaml, const struct config_key *keys, size_t key_count,
		    void *out);
