/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes web identity tokens and the key sets that verify them: the input's first line is a token, or ("h",
 * "p", "s" with the rest of a line each) its parts before encoding; the rest is the key set. Only the owner
 * of a key can sign, so no fuzzed input may be accepted. */
#include <stdlib.h>

#include "auth/token/web_identity.h"
#include "base/clock.h"
#include "model/oidc_provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str encode(struct arena *a, struct str part)
{
	struct str text = str_encode_base64(a, part);
	char *url = arena_alloc(a, text.n + 1);
	size_t n = 0;
	for (size_t k = 0; url && k < text.n && text.p[k] != '='; k++)
		url[n++] = text.p[k] == '+' ? '-' : text.p[k] == '/' ? '_' : text.p[k];
	return (struct str){url, url ? n : 0};
}

static struct str take_token(struct arena *a, struct str *rest)
{
	struct str line = STR_NONE, parts[3] = {{0}};
	const char *tags = "hps";
	(void) str_split_next(rest, '\n', &line);
	if (!str_starts_with(line, STR("h{")))
		return line;
	for (size_t k = 0; k < 3; k++) {
		if (line.n && line.p[0] == tags[k])
			parts[k] = encode(a, str_slice(line, 1, line.n));
		if (k < 2)
			(void) str_split_next(rest, '\n', &line);
	}
	return str_print(a, "%" STR_FMT ".%" STR_FMT ".%" STR_FMT, STR_ARG(parts[0]), STR_ARG(parts[1]),
			 STR_ARG(parts[2]));
}

static void use(struct ctx *c, const struct web_identity *w, struct str keys)
{
	static const char *const names[] = {"sub", "aud", "oaud", "amr", "iss", ""};
	struct str client = STR("client");
	const struct oidc_provider provider = {.url = w->issuer, .client_ids = {&client, 1}};
	struct strs values = {0};
	bool has_key = false;
	if (result_is_ok(web_identity_prove(c, w, keys, &has_key)))
		abort();
	ctx_clear_problem(c);
	(void) web_identity_fit(c, w, &provider);
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (web_identity_find_key(
			    w, str_print(c->arena, "%" STR_FMT ":%s", STR_ARG(w->issuer), names[k]),
			    &values) &&
		    values.count == 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, 4 << 20);
	struct str rest = {(const char *) data, size};
	struct web_identity w;
	struct ctx c;
	ctx_init(&c, a);
	struct str token = take_token(a, &rest);
	if (token.p && result_is_ok(web_identity_read(&c, token, &w)))
		use(&c, &w, rest);
	arena_free(a);
	return 0;
}
