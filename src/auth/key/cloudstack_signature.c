/* SPDX-License-Identifier: Apache-2.0
 * The signed text is "name=value&…", sorted by name and escaped, then converted to lower case as a whole. */
#include "auth/key/cloudstack_signature.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"

enum { SHA1_SIZE = 20, SIGNED_TEXT_MAX = 2 * 1024 * 1024 };

/* Points on which clients differ, one bit each. */
enum form {
	SORTS_AS_SENT = 1 << 0, /* sorts names case-sensitively; else in lower case */
	KEEPS_STAR = 1 << 1,
	KEEPS_TILDE = 1 << 2,
	KEEPS_BRACKETS = 1 << 3,
	FORM_COUNT = 1 << 4,
};

struct str cloudstack_find_value(const struct pairs *parameters, const char *name)
{
	for (size_t k = 0; k < parameters->count; k++)
		if (str_equal_nocase(parameters->at[k].name, str_from(name)))
			return parameters->at[k].value;
	return STR_NONE;
}

static int compare_as_sent(const void *a, const void *b)
{
	return str_compare(((const struct pair *) a)->name, ((const struct pair *) b)->name);
}

static int compare_folded(const void *a, const void *b)
{
	return str_compare_nocase(((const struct pair *) a)->name, ((const struct pair *) b)->name);
}

/* Bit that decides whether the character is left unescaped; 0: all clients agree. */
static unsigned find_dispute(char c)
{
	return c == '*' ? KEEPS_STAR : c == '~' ? KEEPS_TILDE : c == '[' || c == ']' ? KEEPS_BRACKETS : 0;
}

/* Appends the text escaped and in lower case; adds the bits that matter for it to *disputed. */
static void add_escaped(struct buf *out, struct str text, unsigned form, unsigned *disputed)
{
	static const char digits[] = "0123456789abcdef";
	if (!buf_reserve(out, 3 * text.n))
		return;
	char *to = out->p + out->size;
	for (size_t k = 0; k < text.n; k++) {
		char c = text.p[k];
		unsigned char b = (unsigned char) c;
		unsigned dispute = find_dispute(c);
		*disputed |= dispute;
		if (str_is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || form & dispute) {
			*to++ = c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
		} else {
			*to++ = '%';
			*to++ = digits[b >> 4];
			*to++ = digits[b & 15];
		}
	}
	out->size = (size_t) (to - out->p);
}

static RESULT sign(struct ctx *c, const struct pairs *sorted, struct str secret, unsigned form,
		   unsigned *disputed, struct str *ret_signature)
{
	uint8_t mac[SHA1_SIZE];
	struct buf text;
	buf_init(&text, SIGNED_TEXT_MAX);
	for (size_t k = 0; k < sorted->count; k++) {
		if (k)
			buf_add_char(&text, '&');
		add_escaped(&text, sorted->at[k].name, form, disputed);
		buf_add_char(&text, '=');
		add_escaped(&text, sorted->at[k].value, form, disputed);
	}
	struct result result = buf_finish(&text);
	crypto_hmac_sha1(secret.p, secret.n, buf_str(&text), mac);
	buf_done(&text);
	*ret_signature = str_encode_base64(c->arena, (struct str){(char *) mac, sizeof mac});
	return result_is_ok(result) && ret_signature->p ? OK : ctx_no_memory(c);
}

static bool is_sorted(const struct pairs *pairs, int (*compare)(const void *a, const void *b))
{
	for (size_t k = 1; k < pairs->count; k++)
		if (compare(&pairs->at[k - 1], &pairs->at[k]) > 0)
			return false;
	return true;
}

static bool is_in_time(const struct pairs *parameters)
{
	int64_t expires_us = 0;
	return !str_is(cloudstack_find_value(parameters, "signatureversion"), "3") ||
	       (result_is_ok(clock_parse(cloudstack_find_value(parameters, "expires"), &expires_us)) &&
		expires_us >= clock_now_us());
}

RESULT cloudstack_check_signature(struct ctx *c, const void *arg, struct str secret, bool *ret_is_right)
{
	const struct pairs *parameters = arg;
	struct pair *at = arena_new_array(c->arena, struct pair, parameters->count + 1);
	struct pairs sorted = {at, 0};
	struct str given = cloudstack_find_value(parameters, "signature"), wanted = STR_NONE;
	unsigned disputed = 0;
	bool is_right = false;
	if (!at || parameters->count > CLOUDSTACK_PARAMETERS_MAX)
		return ctx_no_memory(c);
	for (size_t k = 0; k < parameters->count; k++)
		if (!str_equal_nocase(parameters->at[k].name, STR("signature")))
			at[sorted.count++] = parameters->at[k];
	qsort(at, sorted.count, sizeof *at, compare_folded);
	if (!is_sorted(&sorted, compare_as_sent))
		disputed |= SORTS_AS_SENT;
	for (unsigned form = 0; form < FORM_COUNT; form++) {
		if (form & ~disputed) /* form 0 comes first and determines which bits matter for this
				       * request */
			continue;
		if (disputed & SORTS_AS_SENT)
			qsort(at, sorted.count, sizeof *at,
			      form & SORTS_AS_SENT ? compare_as_sent : compare_folded);
		TRY(sign(c, &sorted, secret, form, &disputed, &wanted));
		if (wanted.n == given.n && crypto_equal(wanted.p, given.p, given.n))
			is_right = true; /* does not stop here, so that the time does not reveal the form */
	}
	*ret_is_right = is_right && is_in_time(parameters);
	return OK;
}
