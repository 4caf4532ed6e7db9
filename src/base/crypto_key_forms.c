/* SPDX-License-Identifier: Apache-2.0
 * Converts public keys that are not in OpenSSH's one-line form but accepted by EC2: RFC 4716 files and DER.
 * The result is validated by crypto_check_public_key(). */
#include "base/crypto.h"
#include "base/crypto_ssh.h"

#define RFC4716_BEGIN STR("---- BEGIN SSH2 PUBLIC KEY ----")
#define RFC4716_END STR("---- END SSH2 PUBLIC KEY ----")

enum { RFC4716_TAG_MAX = 64, RFC4716_VALUE_MAX = 1024, DER_SEQUENCE = 0x30 };

/* ---- RFC 4716 ---- */

static struct str without_end(struct str line)
{
	return str_ends_with(line, STR("\r")) ? str_slice(line, 0, line.n - 1) : line;
}

/* True for a header's first line, "Tag: value". Base64 contains no colon. */
static bool is_header(struct str line, size_t *ret_value_size)
{
	size_t colon = str_find_char(line, ':', 0);
	*ret_value_size = colon < line.n ? line.n - colon - 1 : 0;
	return colon > 0 && colon < line.n && colon <= RFC4716_TAG_MAX;
}

/* Skips the headers; a header continues on the next line if its line ends in a backslash. *ret_line: the
 * first line after them. */
static bool skip_headers(struct str *rest, struct str *ret_line)
{
	size_t value_size = 0;
	while (str_split_next(rest, '\n', ret_line)) {
		if (!is_header(without_end(*ret_line), &value_size))
			return true;
		while (str_ends_with(without_end(*ret_line), STR("\\"))) {
			if (!str_split_next(rest, '\n', ret_line))
				return false;
			value_size += ret_line->n;
		}
		if (value_size > RFC4716_VALUE_MAX)
			return false;
	}
	return false;
}

/* Finds the base64 between the markers; the text must start with the first marker. */
static bool find_rfc4716_body(struct str text, struct str *ret_base64)
{
	struct str rest = text, line = STR_NONE;
	if (!str_split_next(&rest, '\n', &line) || !str_equal(without_end(line), RFC4716_BEGIN) ||
	    !skip_headers(&rest, &line))
		return false;
	const char *from = line.p, *to = line.p;
	while (!str_equal(without_end(line), RFC4716_END)) {
		to = line.p + line.n;
		if (!str_split_next(&rest, '\n', &line))
			return false;
	}
	*ret_base64 = (struct str){from, (size_t) (to - from)};
	return str_is_empty(str_trim(rest));
}

static RESULT convert_rfc4716(struct ctx *c, struct str text, struct str *ret_line)
{
	struct str base64 = STR_NONE, blob = STR_NONE;
	struct ssh_public_key key;
	if (!find_rfc4716_body(text, &base64))
		return FAIL(INVALID);
	TRY(str_decode_base64(c->arena, base64, &blob));
	if (!crypto_ssh_parse_blob(blob, &key))
		return FAIL(INVALID);
	return crypto_ssh_write_line(c, key.name, blob, ret_line);
}

/* ---- DER ---- */

static RESULT write_rsa(struct ctx *c, EVP_PKEY *key, struct str *ret_line)
{
	BIGNUM *e_read = NULL, *n_read = NULL;
	bool is_read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e_read) == 1 &&
		       EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n_read) == 1;
	OSSL(BIGNUM) e = e_read;
	OSSL(BIGNUM) n = n_read;
	__attribute__((cleanup(buf_done))) struct buf blob;
	buf_init(&blob, KEY_TEXT_CAP_SIZE);
	crypto_ssh_add_string(&blob, SSH_RSA);
	if (!is_read || !crypto_ssh_add_number(&blob, e) || !crypto_ssh_add_number(&blob, n))
		return FAIL(INVALID);
	return blob.failed ? ctx_no_memory(c) : crypto_ssh_write_line(c, SSH_RSA, buf_str(&blob), ret_line);
}

static RESULT write_ed25519(struct ctx *c, EVP_PKEY *key, struct str *ret_line)
{
	uint8_t point[ED25519_SIZE];
	size_t size = sizeof point;
	__attribute__((cleanup(buf_done))) struct buf blob;
	buf_init(&blob, KEY_TEXT_CAP_SIZE);
	if (EVP_PKEY_get_raw_public_key(key, point, &size) != 1 || size != sizeof point)
		return FAIL(INVALID);
	crypto_ssh_add_string(&blob, SSH_ED25519);
	crypto_ssh_add_string(&blob, (struct str){(const char *) point, size});
	return blob.failed ? ctx_no_memory(c)
			   : crypto_ssh_write_line(c, SSH_ED25519, buf_str(&blob), ret_line);
}

/* Converts a SubjectPublicKeyInfo without trailing bytes. */
static RESULT convert_der(struct ctx *c, struct str der, struct str *ret_line)
{
	const unsigned char *at = (const unsigned char *) der.p;
	OSSL(EVP_PKEY) key = d2i_PUBKEY(NULL, &at, (long) der.n);
	int type = key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
	ERR_clear_error();
	if ((const char *) at != der.p + der.n)
		return FAIL(INVALID);
	if (type == EVP_PKEY_RSA)
		return write_rsa(c, key, ret_line);
	return type == EVP_PKEY_ED25519 ? write_ed25519(c, key, ret_line) : FAIL(INVALID);
}

/* ---- any form ---- */

static bool is_der(struct str bytes)
{
	return bytes.n > 1 && bytes.p[0] == DER_SEQUENCE;
}

static RESULT convert(struct ctx *c, struct str text, struct str *ret_text)
{
	struct str trimmed = str_trim(text), bytes = STR_NONE;
	if (str_starts_with(trimmed, RFC4716_BEGIN))
		return convert_rfc4716(c, trimmed, ret_text);
	if (is_der(text) && result_is_ok(convert_der(c, text, ret_text)))
		return OK;
	struct result decoded = str_decode_base64(c->arena, trimmed, &bytes);
	if (decoded.code == ERR_NO_MEMORY)
		return decoded;
	if (result_is_ok(decoded) && is_der(bytes))
		return convert_der(c, bytes, ret_text);
	*ret_text = text;
	return OK;
}

RESULT crypto_convert_public_key(struct ctx *c, struct str text, struct str *ret_text)
{
	struct result result = FAIL(INVALID);
	if (text.n <= KEY_TEXT_CAP_SIZE)
		result = convert(c, text, ret_text);
	if (result.code == ERR_NO_MEMORY)
		return ctx_no_memory(c);
	if (!result_is_ok(result))
		return ctx_fail(c, ERR_INVALID,
				"a public key in RFC 4716's form or in DER is of RSA or of Ed25519");
	return OK;
}
