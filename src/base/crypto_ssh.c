/* SPDX-License-Identifier: Apache-2.0
 * The wire form of RFC 4253, which OpenSSL doesn't support. */
#include "base/crypto_ssh.h"

void crypto_ssh_add_u32(struct buf *b, uint32_t value)
{
	uint8_t bytes[4] = {(uint8_t) (value >> 24), (uint8_t) (value >> 16), (uint8_t) (value >> 8),
			    (uint8_t) value};
	buf_add(b, bytes, sizeof bytes);
}

void crypto_ssh_add_string(struct buf *b, struct str s)
{
	crypto_ssh_add_u32(b, (uint32_t) s.n);
	buf_add_str(b, s);
}

/* Adds a positive mpint, with a leading zero byte if the first bit would be read as a sign. */
bool crypto_ssh_add_number(struct buf *b, const BIGNUM *number)
{
	uint8_t bytes[RSA_MOST_BITS / 8 + 1] = {0};
	int size = BN_num_bytes(number);
	if (size <= 0 || (size_t) size >= sizeof bytes)
		return false;
	(void) BN_bn2bin(number, bytes + 1);
	size_t from = bytes[1] & 0x80 ? 0 : 1;
	crypto_ssh_add_string(b, (struct str){(const char *) bytes + from, (size_t) size + 1 - from});
	return true;
}

bool crypto_ssh_take_string(struct str *rest, struct str *ret_string)
{
	if (rest->n < 4)
		return false;
	const uint8_t *p = (const uint8_t *) rest->p;
	size_t n = (size_t) p[0] << 24 | (size_t) p[1] << 16 | (size_t) p[2] << 8 | p[3];
	if (n > rest->n - 4)
		return false;
	*ret_string = str_slice(*rest, 4, 4 + n);
	*rest = str_slice(*rest, 4 + n, rest->n);
	return true;
}

/* Takes a positive mpint in its shortest form. */
static bool take_number(struct str *rest, struct str *ret_bytes)
{
	struct str s = STR_NONE;
	if (!crypto_ssh_take_string(rest, &s) || s.n == 0 || s.p[0] & 0x80)
		return false;
	if (s.p[0] == 0) {
		if (s.n == 1 || !(s.p[1] & 0x80))
			return false;
		s = str_slice(s, 1, s.n);
	}
	*ret_bytes = s;
	return true;
}

static bool parse_rsa(struct str rest, struct ssh_public_key *key)
{
	if (!take_number(&rest, &key->exponent) || !take_number(&rest, &key->modulus) || rest.n)
		return false;
	size_t bits = key->modulus.n * 8;
	for (unsigned first = (uint8_t) key->modulus.p[0]; !(first & 0x80); first <<= 1)
		bits--;
	bool odd = key->exponent.p[key->exponent.n - 1] & key->modulus.p[key->modulus.n - 1] & 1;
	bool one = key->exponent.n == 1 && key->exponent.p[0] == 1;
	return bits >= RSA_LEAST_BITS && bits <= RSA_MOST_BITS && key->exponent.n <= 8 && odd && !one;
}

/* Accepts RFC 5656's required curves with uncompressed points. */
static bool parse_ecdsa(struct str name, struct str rest)
{
	static const struct {
		const char *name;
		size_t point_size;
	} curves[] = {{"nistp256", 65}, {"nistp384", 97}, {"nistp521", 133}};
	enum { UNCOMPRESSED = 4 };
	struct str curve = STR_NONE, point = STR_NONE;
	if (!crypto_ssh_take_string(&rest, &curve) || !crypto_ssh_take_string(&rest, &point) || rest.n ||
	    !str_equal(curve, str_slice(name, SSH_ECDSA.n, name.n)))
		return false;
	for (size_t k = 0; k < sizeof curves / sizeof curves[0]; k++)
		if (str_is(curve, curves[k].name))
			return point.n == curves[k].point_size && point.p[0] == UNCOMPRESSED;
	return false;
}

bool crypto_ssh_parse_blob(struct str blob, struct ssh_public_key *ret_key)
{
	struct ssh_public_key key = {.blob = blob};
	struct str rest = blob, name = STR_NONE, point = STR_NONE;
	if (!crypto_ssh_take_string(&rest, &name))
		return false;
	key.name = name;
	key.ed25519 = str_equal(name, SSH_ED25519);
	key.ecdsa = str_starts_with(name, SSH_ECDSA);
	bool good = key.ed25519
			    ? crypto_ssh_take_string(&rest, &point) && point.n == ED25519_SIZE && rest.n == 0
		    : key.ecdsa ? parse_ecdsa(name, rest)
				: str_equal(name, SSH_RSA) && parse_rsa(rest, &key);
	if (good)
		*ret_key = key;
	return good;
}

/* Writes a line of authorized_keys and .pub files: the type, then the blob in base64. */
RESULT crypto_ssh_write_line(struct ctx *c, struct str name, struct str blob, struct str *ret_line)
{
	struct str base64 = str_encode_base64(c->arena, blob);
	struct str line = str_print(c->arena, "%" STR_FMT " %" STR_FMT, STR_ARG(name), STR_ARG(base64));
	if (!base64.p || !line.p)
		return ctx_no_memory(c);
	*ret_line = line;
	return OK;
}

RESULT crypto_ssh_fingerprint_blob(struct ctx *c, struct str blob, struct str *ret_fingerprint)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(blob, digest);
	*ret_fingerprint = str_encode_base64(c->arena, (struct str){(const char *) digest, sizeof digest});
	return ret_fingerprint->p ? OK : ctx_no_memory(c);
}
