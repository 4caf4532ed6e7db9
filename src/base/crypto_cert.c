/* SPDX-License-Identifier: Apache-2.0
 * The self-signed certificate that a fresh installation serves TLS with. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_digest.h"
#include "base/crypto_ossl.h"
#include "base/ip.h"
#include "base/random.h"

enum { SERIAL_SIZE = 16, NAME_CAP = 253, COMMON_NAME_CAP = 64, NAMES_CAP_COUNT = 100 };
static const int64_t SKEW_US = HOUR; /* a client whose clock is behind must not refuse it */

DEFINE_OSSL(X509, X509_free)
DEFINE_OSSL(GENERAL_NAMES, GENERAL_NAMES_free)
DEFINE_OSSL(GENERAL_NAME, GENERAL_NAME_free)
DEFINE_OSSL(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
DEFINE_OSSL(ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_OSSL(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)

static bool is_host_name(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (!str_is_alphanumeric(s.p[k]) && !memchr("-._", s.p[k], 3) && (s.p[k] != '*' || k > 0))
			return false;
	return s.n > 0 && s.n <= NAME_CAP && s.p[0] != '.' && s.p[0] != '-';
}

static bool add_name(GENERAL_NAMES *names, int type, const void *bytes, size_t size)
{
	OSSL(GENERAL_NAME) name = GENERAL_NAME_new();
	ASN1_STRING *value = type == GEN_DNS ? (ASN1_STRING *) ASN1_IA5STRING_new()
					     : (ASN1_STRING *) ASN1_OCTET_STRING_new();
	if (!name || !value || ASN1_STRING_set(value, bytes, (int) size) != 1) {
		ASN1_STRING_free(value);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, value);
	if (sk_GENERAL_NAME_push(names, name) == 0)
		return false;
	name = NULL; /* the stack's now */
	return true;
}

static RESULT add_names(struct ctx *c, struct str text, GENERAL_NAMES *names, struct str *ret_first)
{
	struct str rest = text, piece;
	size_t count = 0;
	while (str_split_next(&rest, ',', &piece)) {
		struct ip ip;
		piece = str_trim(piece);
		bool is_ip = result_is_ok(ip_parse(piece, &ip));
		if (!is_ip && !is_host_name(piece))
			return ctx_fail(c, ERR_INVALID,
					"neither a host name nor an address: \"%" STR_FMT "\"",
					STR_ARG(piece));
		if (count == NAMES_CAP_COUNT)
			return ctx_fail(c, ERR_TOO_LARGE, "a certificate for more than %d names",
					NAMES_CAP_COUNT);
		bool added = is_ip ? add_name(names, GEN_IPADD, ip.b, ip.family == IP_V4 ? 4 : 16)
				   : add_name(names, GEN_DNS, piece.p, piece.n);
		if (!added)
			return crypto_fail(c, "cannot build a certificate");
		if (count++ == 0)
			*ret_first = piece;
	}
	return count ? OK : ctx_fail(c, ERR_INVALID, "a certificate needs a name");
}

static bool add_extensions(X509 *cert, GENERAL_NAMES *names)
{
	OSSL(BASIC_CONSTRAINTS) basic = BASIC_CONSTRAINTS_new();
	OSSL(ASN1_BIT_STRING) usage = ASN1_BIT_STRING_new();
	OSSL(EXTENDED_KEY_USAGE) purpose = EXTENDED_KEY_USAGE_new();
	if (!basic || !usage || !purpose)
		return false;
	basic->ca = 0;
	return ASN1_BIT_STRING_set_bit(usage, 0, 1) == 1 && /* digitalSignature */
	       sk_ASN1_OBJECT_push(purpose, OBJ_nid2obj(NID_server_auth)) > 0 &&
	       X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1 &&
	       X509_add1_ext_i2d(cert, NID_basic_constraints, basic, 1, X509V3_ADD_DEFAULT) == 1 &&
	       X509_add1_ext_i2d(cert, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1 &&
	       X509_add1_ext_i2d(cert, NID_ext_key_usage, purpose, 0, X509V3_ADD_DEFAULT) == 1;
}

static bool set_serial(X509 *cert)
{
	uint8_t bytes[SERIAL_SIZE];
	random_bytes(bytes, sizeof bytes);
	bytes[0] = (uint8_t) ((bytes[0] & 0x7F) | 0x40); /* positive, and never shorter */
	OSSL(BIGNUM) number = BN_bin2bn(bytes, sizeof bytes, NULL);
	return number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
}

static bool fill(X509 *cert, EVP_PKEY *key, struct str first, int64_t valid_us)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	struct str common = str_slice(first, 0, COMMON_NAME_CAP); /* clients look at the SANs only */
	time_t from = (time_t) ((clock_now_us() - SKEW_US) / SECOND);
	time_t to = (time_t) ((clock_now_us() + valid_us) / SECOND);
	return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
	       ASN1_TIME_set(X509_getm_notBefore(cert), from) &&
	       ASN1_TIME_set(X509_getm_notAfter(cert), to) && X509_set_pubkey(cert, key) == 1 &&
	       X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *) common.p, (int) common.n, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, subject) == 1;
}

RESULT crypto_make_certificate(struct ctx *c, struct str names, int64_t valid_us, struct str *ret_cert_pem,
			       struct str *ret_key_pem)
{
	OSSL(EVP_PKEY) key = EVP_EC_gen("P-256");
	OSSL(X509) cert = X509_new();
	OSSL(GENERAL_NAMES) all = GENERAL_NAMES_new();
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	struct str first = STR_NONE, cert_pem = STR_NONE, key_pem = STR_NONE;
	if (!key || !cert || !all || !bio)
		return crypto_fail(c, "cannot make a key");
	TRY(add_names(c, names, all, &first));
	if (!fill(cert, key, first, valid_us) || !add_extensions(cert, all) ||
	    X509_sign(cert, key, EVP_sha256()) == 0 || PEM_write_bio_X509(bio, cert) != 1)
		return crypto_fail(c, "cannot make a certificate");
	TRY(crypto_take_bio(c, bio, &cert_pem));
	TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", &key_pem));
	*ret_cert_pem = cert_pem;
	*ret_key_pem = key_pem;
	return OK;
}
