/* SPDX-License-Identifier: Apache-2.0
 * Checks users' public keys and calculates EC2's fingerprint. */
#include "base/crypto.h"
#include "base/crypto_ssh.h"

DEFINE_OSSL(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DEFINE_OSSL(OSSL_PARAM, OSSL_PARAM_free)
DEFINE_OSSL(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

static RESULT build_rsa(struct ctx *c, const struct ssh_public_key *key, EVP_PKEY **ret_rsa)
{
	const unsigned char *e_bytes = (const unsigned char *) key->exponent.p,
			    *n_bytes = (const unsigned char *) key->modulus.p;
	OSSL(BIGNUM) e = BN_bin2bn(e_bytes, (int) key->exponent.n, NULL);
	OSSL(BIGNUM) n = BN_bin2bn(n_bytes, (int) key->modulus.n, NULL);
	OSSL(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
	if (!e || !n || !build || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return crypto_fail(c, "cannot build an RSA key");
	OSSL(OSSL_PARAM) params = OSSL_PARAM_BLD_to_param(build);
	OSSL(EVP_PKEY_CTX) x = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	bool built = params && x && EVP_PKEY_fromdata_init(x) == 1 &&
		     EVP_PKEY_fromdata(x, ret_rsa, EVP_PKEY_PUBLIC_KEY, params) == 1;
	return built ? OK : crypto_fail(c, "cannot build an RSA key");
}

/* EC2's fingerprint: the MD5 of the public key in OpenSSL's DER encoding. */
static RESULT fingerprint_rsa(struct ctx *c, const struct ssh_public_key *key, struct str *ret_fingerprint)
{
	OSSL(EVP_PKEY) rsa = NULL;
	struct str der = STR_NONE;
	uint8_t digest[MD5_SIZE];
	TRY(build_rsa(c, key, &rsa));
	TRY(crypto_encode_key(c, rsa, EVP_PKEY_PUBLIC_KEY, "DER", "SubjectPublicKeyInfo", &der));
	crypto_md5(der, digest);
	return crypto_write_colons(c, digest, sizeof digest, ret_fingerprint);
}

static bool is_one_line(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if ((unsigned char) s.p[k] < 0x20 && s.p[k] != '\t')
			return false;
	return s.n > 0 && str_is_utf8(s);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Splits "name base64 comment" and returns the first two words. */
static bool split_line(struct str line, struct str *ret_name, struct str *ret_base64)
{
	size_t name_end = 0;
	while (name_end < line.n && !is_blank(line.p[name_end]))
		name_end++;
	size_t from = name_end;
	while (from < line.n && is_blank(line.p[from]))
		from++;
	size_t to = from;
	while (to < line.n && !is_blank(line.p[to]))
		to++;
	*ret_name = str_slice(line, 0, name_end);
	*ret_base64 = str_slice(line, from, to);
	return to > from;
}

/* Parses a public key line; the name in the blob must match the line's. */
static RESULT parse_line(struct ctx *c, struct str line, struct ssh_public_key *ret_key)
{
	struct str name = STR_NONE, base64 = STR_NONE, blob = STR_NONE;
	if (!is_one_line(line) || !split_line(line, &name, &base64))
		return FAIL(INVALID);
	TRY(str_decode_base64(c->arena, base64, &blob));
	return crypto_ssh_parse_blob(blob, ret_key) && str_equal(name, ret_key->name) ? OK : FAIL(INVALID);
}

static bool is_key_line(struct str line)
{
	return str_starts_with(line, STR("ssh-")) || str_starts_with(line, SSH_ECDSA);
}

bool crypto_is_ecdsa(struct str public_line)
{
	return str_starts_with(public_line, SSH_ECDSA);
}

static RESULT read_public_key(struct ctx *c, struct str text, struct str *ret_line,
			      struct ssh_public_key *ret_key)
{
	struct str bytes = STR_NONE, line = str_trim(text);
	bool is_line = is_key_line(line);
	if (!is_line) { /* base64 of the key's wire form, or of an entire line */
		TRY(str_decode_base64(c->arena, line, &bytes));
		line = str_trim(bytes);
		is_line = is_key_line(line);
	}
	*ret_line = line;
	if (is_line)
		return parse_line(c, line, ret_key);
	if (!crypto_ssh_parse_blob(bytes, ret_key))
		return FAIL(INVALID);
	return crypto_ssh_write_line(c, ret_key->name, bytes, ret_line);
}

RESULT crypto_check_public_key(struct ctx *c, struct str text, struct str *ret_line,
			       struct str *ret_fingerprint, bool *ret_is_ed25519)
{
	struct ssh_public_key key = {0};
	struct str line = STR_NONE, fingerprint = STR_NONE;
	if (text.n > KEY_TEXT_CAP_SIZE)
		return ctx_fail(c, ERR_INVALID, "a public key of %zu bytes is too long", text.n);
	struct result r = read_public_key(c, text, &line, &key);
	if (r.code == ERR_NO_MEMORY || r.code == ERR_TOO_LARGE)
		return ctx_no_memory(c);
	if (!result_is_ok(r)) {
		return ctx_fail(c, ERR_INVALID,
				"not an OpenSSH public key of type ssh-rsa (1024 to 16384 bits), ssh-ed25519 "
				"or ecdsa-sha2-nistp256, "
				"-384 or -521");
	}
	line = str_copy(c->arena, line);
	if (!line.p)
		return ctx_no_memory(c);
	if (key.ed25519 || key.ecdsa)
		TRY(crypto_ssh_fingerprint_blob(c, key.blob, &fingerprint));
	else
		TRY(fingerprint_rsa(c, &key, &fingerprint));
	*ret_line = line;
	*ret_fingerprint = fingerprint;
	*ret_is_ed25519 = key.ed25519;
	return OK;
}

/* ---- a user's key for SSH in IAM ---- */

#define PEM_BEGIN STR("-----BEGIN PUBLIC KEY-----")
#define PEM_END STR("-----END PUBLIC KEY-----")

/* Returns OpenSSH's line of a key in PEM, or the text if it is a line. ERR_UNSUPPORTED: neither. */
static RESULT take_rsa_line(struct ctx *c, struct str text, struct str *ret_line)
{
	struct str line = str_trim(text);
	if (str_starts_with(line, PEM_BEGIN) && str_ends_with(line, PEM_END) &&
	    line.n >= PEM_BEGIN.n + PEM_END.n)
		return crypto_convert_public_key(c, str_slice(line, PEM_BEGIN.n, line.n - PEM_END.n),
						 ret_line);
	*ret_line = line;
	return str_starts_with(line, SSH_RSA) ? OK : FAIL(UNSUPPORTED);
}

static size_t count_bits(struct str modulus)
{
	size_t bits = modulus.n * 8;
	for (unsigned first = (uint8_t) modulus.p[0]; first && !(first & 0x80); first <<= 1)
		bits--;
	return bits;
}

RESULT crypto_read_rsa_key(struct ctx *c, struct str text, struct crypto_rsa_key *ret_key)
{
	struct ssh_public_key key = {0};
	struct str line = STR_NONE;
	OSSL(EVP_PKEY) rsa = NULL;
	uint8_t digest[MD5_SIZE];
	TRY(take_rsa_line(c, text, &line));
	struct result parsed = parse_line(c, line, &key);
	if (parsed.code == ERR_NO_MEMORY)
		return ctx_no_memory(c);
	if (!result_is_ok(parsed) || key.ed25519 || key.ecdsa)
		return FAIL(INVALID);
	TRY(build_rsa(c, &key, &rsa));
	ret_key->bits = count_bits(key.modulus);
	crypto_md5(key.blob, digest);
	TRY(crypto_write_colons(c, digest, sizeof digest, &ret_key->md5));
	TRY(crypto_ssh_write_line(c, key.name, key.blob, &ret_key->line));
	return crypto_encode_key(c, rsa, EVP_PKEY_PUBLIC_KEY, "PEM", "SubjectPublicKeyInfo", &ret_key->pem);
}
