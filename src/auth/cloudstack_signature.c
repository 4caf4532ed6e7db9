/* SPDX-License-Identifier: Apache-2.0
 * The text that is signed is "name=value&…", sorted by name, escaped, then folded to lower case as a whole. */
#include "auth/cloudstack_signature.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/crypto.h"

enum { SHA1_SIZE = 20, SIGNED_TEXT_MAX = 2 * 1024 * 1024 };

/* What clients disagree on, one bit each. */
enum form {
	SORTS_AS_SENT = 1 << 0, /* names, else in lower case */
	KEEPS_STAR = 1 << 1,
	ESCAPES_TILDE = 1 << 2,
	KEEPS_BRACKETS = 1 << 3,
	FORM_COUNT = 1 << 4,
};

static int fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char) c;
}

static int compare_as_sent(const void *a, const void *b)
{
	const struct cloudstack_parameter *x = a, *y = b;
	return str_compare(x->name, y->name);
}

static int compare_folded(const void *a, const void *b)
{
	const struct cloudstack_parameter *x = a, *y = b;
	for (size_t k = 0; k < x->name.n && k < y->name.n; k++) {
		int p = fold(x->name.p[k]), q = fold(y->name.p[k]);
		if (p != q)
			return p - q;
	}
	return x->name.n < y->name.n ? -1 : x->name.n > y->name.n;
}

static bool is_kept(unsigned char b, unsigned form)
{
	if ((b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z'))
		return true;
	switch (b) {
	case '-':
	case '_':
	case '.':
		return true;
	case '*':
		return form & KEEPS_STAR;
	case '~':
		return !(form & ESCAPES_TILDE);
	case '[':
	case ']':
		return form & KEEPS_BRACKETS;
	default:
		return false;
	}
}

/* Escaped and in lower case. */
static void add_escaped(struct buf *out, struct str text, unsigned form)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t k = 0; k < text.n; k++) {
		unsigned char b = (unsigned char) text.p[k];
		if (is_kept(b, form))
			buf_add_char(out, (char) fold((char) b));
		else
			buf_add_str(out,
				    (struct str){(const char[]){'%', digits[b >> 4], digits[b & 15]}, 3});
	}
}

static RESULT sign(struct ctx *c, const struct cloudstack_parameter *sorted, size_t count, struct str secret,
		   unsigned form, struct str *ret_signature)
{
	uint8_t mac[SHA1_SIZE];
	struct buf text;
	buf_init(&text, SIGNED_TEXT_MAX);
	for (size_t k = 0; k < count; k++) {
		if (k)
			buf_add_char(&text, '&');
		add_escaped(&text, sorted[k].name, form);
		buf_add_char(&text, '=');
		add_escaped(&text, sorted[k].value, form);
	}
	struct result result = buf_finish(&text);
	if (result_is_ok(result)) {
		crypto_hmac_sha1(secret.p, secret.n, buf_str(&text), mac);
		*ret_signature = str_encode_base64(c->arena, (struct str){(char *) mac, sizeof mac});
	}
	buf_done(&text);
	return result_is_ok(result) ? OK : ctx_no_memory(c);
}

/* The bits on which these parameters leave something to disagree. */
static unsigned find_disputed(const struct cloudstack_parameter *at, size_t count)
{
	unsigned disputed = SORTS_AS_SENT;
	for (size_t k = 0; k < count; k++) {
		const struct str texts[] = {at[k].name, at[k].value};
		for (size_t n = 0; n < 2; n++) {
			disputed |= str_find_char(texts[n], '*', 0) < texts[n].n ? KEEPS_STAR : 0U;
			disputed |= str_find_char(texts[n], '~', 0) < texts[n].n ? ESCAPES_TILDE : 0U;
			disputed |= str_find_char(texts[n], '[', 0) < texts[n].n ||
						    str_find_char(texts[n], ']', 0) < texts[n].n
					    ? KEEPS_BRACKETS
					    : 0U;
		}
	}
	return disputed;
}

RESULT cloudstack_check_signature(struct ctx *c, const struct cloudstack_parameter *at, size_t count,
				  struct str secret, struct str signature, bool *ret_is_right)
{
	struct cloudstack_parameter *sorted =
		arena_new_array(c->arena, struct cloudstack_parameter, count + 1);
	unsigned disputed = find_disputed(at, count);
	bool is_right = false;
	if (!sorted)
		return ctx_no_memory(c);
	for (unsigned form = 0; form < FORM_COUNT && count <= CLOUDSTACK_PARAMETERS_MAX; form++) {
		struct str wanted = STR_NONE;
		if (form & ~disputed)
			continue;
		memcpy(sorted, at, count * sizeof *at);
		qsort(sorted, count, sizeof *sorted, form & SORTS_AS_SENT ? compare_as_sent : compare_folded);
		TRY(sign(c, sorted, count, secret, form, &wanted));
		if (wanted.n == signature.n && crypto_equal(wanted.p, signature.p, signature.n))
			is_right = true; /* and on, so that the time does not tell which form it was */
	}
	*ret_is_right = is_right;
	return OK;
}
