/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes the configuration file, with a table that has a key of each type. */
#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
	struct str text;
	int64_t number;
	bool flag;
	struct strs texts;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_key keys[] = {
		{"region.name", CONFIG_TEXT, offsetof(struct settings, text), "us-east-1", 0, 0, ""},
		{"api.port", CONFIG_INT, offsetof(struct settings, number), "8788", 1, 65535, ""},
		{"log.flag", CONFIG_BOOL, offsetof(struct settings, flag), "false", 0, 0, ""},
		{"dns.upstreams", CONFIG_TEXTS, offsetof(struct settings, texts), NULL, 0, 0, ""},
	};
	struct settings settings = {0};
	struct ctx c;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	ctx_init(&c, arena);
	if (result_is_ok(config_parse(&c, (struct str){(const char *) data, size}, keys, 4, &settings)) &&
	    (settings.number < 1 || settings.number > 65535))
		__builtin_trap();
	arena_free(arena);
	return 0;
}
