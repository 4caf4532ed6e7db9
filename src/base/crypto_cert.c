/* SPDX-License-Identifier: Apache-2.0
 * Certificates: self-signed ones, for TLS of a fresh installation and for users' Windows logins; and those
 * issued by our own authority. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_digest.h"
#include "base/crypto_issue.h"
#include "base/crypto_ossl.h"
#include "base/ip.h"
#include "base/random.h"

enum {
	SERIAL_SIZE = 16,
	NAME_CAP = 253,
	COMMON_NAME_CAP = 64,
	NAMES_CAP_COUNT = 100,
	CLIENT_RSA_BITS_MIN = 2048
};
static const int64_t SKEW_US = HOUR; /* accepts clients whose clock is behind */

DEFINE_OSSL(X509, X509_free)
DEFINE_OSSL(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_OSSL(GENERAL_NAMES, GENERAL_NAMES_free)
DEFINE_OSSL(GENERAL_NAME, GENERAL_NAME_free)
DEFINE_OSSL(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
DEFINE_OSSL(ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_OSSL(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)
DEFINE_OSSL(ASN1_TYPE, ASN1_TYPE_free)
DEFINE_OSSL(PKCS12, PKCS12_free)
DEFINE_OSSL(X509_EXTENSION, X509_EXTENSION_free)
DEFINE_OSSL(X509_REQ, X509_REQ_free)

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
	name = NULL; /* now owned by the stack */
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
	bytes[0] = (uint8_t) ((bytes[0] & 0x7F) | 0x40); /* positive, with constant length */
	OSSL(BIGNUM) number = BN_bin2bn(bytes, sizeof bytes, NULL);
	return number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
}

bool crypto_fill_certificate(X509 *cert, EVP_PKEY *key, struct str first, int64_t valid_us)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	struct str common = str_slice(first, 0, COMMON_NAME_CAP); /* clients check only the SANs */
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
	if (!crypto_fill_certificate(cert, key, first, valid_us) || !add_extensions(cert, all) ||
	    X509_sign(cert, key, EVP_sha256()) == 0 || PEM_write_bio_X509(bio, cert) != 1)
		return crypto_fail(c, "cannot make a certificate");
	TRY(crypto_take_bio(c, bio, &cert_pem));
	TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", &key_pem));
	*ret_cert_pem = cert_pem;
	*ret_key_pem = key_pem;
	return OK;
}

/* ---- a user's */

enum { USER_KEY_BITS = 2048 };
static const int64_t USER_VALID_US = 3650 * 24 * HOUR;

/* Adds the user as Windows expects: an otherName with the user principal name. */
static bool add_principal(GENERAL_NAMES *names, struct str principal)
{
	OSSL(GENERAL_NAME) name = GENERAL_NAME_new();
	OSSL(ASN1_TYPE) value = ASN1_TYPE_new();
	ASN1_STRING *text = ASN1_UTF8STRING_new();
	if (!name || !value || !text || ASN1_STRING_set(text, principal.p, (int) principal.n) != 1) {
		ASN1_STRING_free(text);
		return false;
	}
	ASN1_TYPE_set(value, V_ASN1_UTF8STRING, text);
	if (GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_ms_upn), value) != 1)
		return false;
	value = NULL; /* now owned by the name */
	if (sk_GENERAL_NAME_push(names, name) == 0)
		return false;
	name = NULL; /* now owned by the stack */
	return true;
}

static bool add_user_extensions(X509 *cert, GENERAL_NAMES *names)
{
	OSSL(EXTENDED_KEY_USAGE) purpose = EXTENDED_KEY_USAGE_new();
	return purpose && sk_ASN1_OBJECT_push(purpose, OBJ_nid2obj(NID_client_auth)) > 0 &&
	       X509_add1_ext_i2d(cert, NID_ext_key_usage, purpose, 0, X509V3_ADD_DEFAULT) == 1 &&
	       X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
}

RESULT crypto_make_user_certificate(struct ctx *c, struct str user, struct str *ret_cert_pem,
				    struct str *ret_pkcs12)
{
	OSSL(EVP_PKEY) key = EVP_RSA_gen(USER_KEY_BITS);
	OSSL(X509) cert = X509_new();
	OSSL(GENERAL_NAMES) names = GENERAL_NAMES_new();
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	OSSL(BIO) packed = BIO_new(BIO_s_mem());
	struct str principal = str_print(c->arena, "%" STR_FMT "@localhost", STR_ARG(user));
	struct str cert_pem = STR_NONE, bytes = STR_NONE;
	if (!key || !cert || !names || !bio || !packed || !principal.p)
		return crypto_fail(c, "cannot make a key");
	if (!crypto_fill_certificate(cert, key, user, USER_VALID_US) || !add_principal(names, principal) ||
	    !add_user_extensions(cert, names) || X509_sign(cert, key, EVP_sha256()) == 0 ||
	    PEM_write_bio_X509(bio, cert) != 1)
		return crypto_fail(c, "cannot make a certificate");
	OSSL(PKCS12) file = PKCS12_create("", NULL, key, cert, NULL, 0, 0, 0, 0, 0);
	if (!file || i2d_PKCS12_bio(packed, file) != 1)
		return crypto_fail(c, "cannot pack a certificate");
	TRY(crypto_take_bio(c, bio, &cert_pem));
	TRY(crypto_take_bio(c, packed, &bytes));
	*ret_cert_pem = cert_pem;
	*ret_pkcs12 = str_encode_base64(c->arena, bytes);
	return ret_pkcs12->p ? OK : ctx_no_memory(c);
}

static X509 *read_certificate(struct str pem)
{
	OSSL(BIO) bio = BIO_new_mem_buf(pem.p, (int) pem.n);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, crypto_no_passphrase, NULL) : NULL;
	ERR_clear_error();
	return cert;
}

RESULT crypto_fingerprint_certificate(struct ctx *c, struct str cert_pem, struct str *ret_fingerprint)
{
	OSSL(X509) cert = read_certificate(cert_pem);
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	if (!cert || X509_digest(cert, EVP_sha1(), sum, &size) != 1)
		return ctx_fail(c, ERR_INVALID, "the text is no certificate in PEM");
	return crypto_write_colons(c, sum, size, ret_fingerprint);
}

size_t crypto_digest_certificate(struct str cert_pem, bool is_sha256, uint8_t ret_sum[static SHA256_SIZE])
{
	OSSL(X509) cert = read_certificate(cert_pem);
	unsigned size = 0;
	return cert && X509_digest(cert, is_sha256 ? EVP_sha256() : EVP_sha1(), ret_sum, &size) == 1 ? size
												     : 0;
}

bool crypto_verify_certificate(struct str cert_pem, bool is_pss, struct str data, struct str signature)
{
	OSSL(X509) cert = read_certificate(cert_pem);
	OSSL(EVP_MD_CTX) context = EVP_MD_CTX_new();
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
	EVP_PKEY_CTX *how = NULL; /* owned by the digest context */
	bool is_right = key && context && EVP_PKEY_is_a(key, "RSA") &&
			EVP_PKEY_get_bits(key) >= CLIENT_RSA_BITS_MIN &&
			EVP_DigestVerifyInit(context, &how, EVP_sha256(), NULL, key) == 1;
	if (is_right && is_pss)
		is_right = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
			   EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
	is_right = is_right && EVP_DigestVerify(context, (const unsigned char *) signature.p, signature.n,
						(const unsigned char *) data.p, data.n) == 1;
	ERR_clear_error();
	return is_right;
}

/* ---- an authority's */

enum { SECURITY_BITS_MIN = 112 };

static bool add_key_usage(X509 *cert, const int *bits, size_t count)
{
	OSSL(ASN1_BIT_STRING) usage = ASN1_BIT_STRING_new();
	bool is_set = usage != NULL;
	for (size_t k = 0; k < count; k++)
		is_set = is_set && ASN1_BIT_STRING_set_bit(usage, bits[k], 1) == 1;
	return is_set && X509_add1_ext_i2d(cert, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1;
}

static bool add_constraints(X509 *cert, bool is_authority)
{
	OSSL(BASIC_CONSTRAINTS) basic = BASIC_CONSTRAINTS_new();
	if (!basic)
		return false;
	basic->ca = is_authority ? 0xFF : 0;
	return X509_add1_ext_i2d(cert, NID_basic_constraints, basic, 1, X509V3_ADD_DEFAULT) == 1;
}

/* Adds a key identifier, by which a verifier distinguishes an old and a new authority of the same name. */
static bool add_key_id(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX how;
	X509V3_set_ctx(&how, issuer, cert, NULL, NULL, 0);
	OSSL(X509_EXTENSION) extension = X509V3_EXT_conf_nid(NULL, &how, nid, value);
	return extension && X509_add_ext(cert, extension, -1) == 1;
}

RESULT crypto_make_authority(struct ctx *c, struct str common_name, int64_t valid_us,
			     struct str *ret_cert_pem, struct str *ret_key_pem)
{
	static const int usage[] = {5, 6}; /* keyCertSign, cRLSign */
	OSSL(EVP_PKEY) key = EVP_EC_gen("P-256");
	OSSL(X509) cert = X509_new();
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	struct str cert_pem = STR_NONE, key_pem = STR_NONE;
	if (!key || !cert || !bio)
		return crypto_fail(c, "cannot make a key");
	if (!crypto_fill_certificate(cert, key, common_name, valid_us) || !add_constraints(cert, true) ||
	    !add_key_usage(cert, usage, 2) || !add_key_id(cert, cert, NID_subject_key_identifier, "hash") ||
	    X509_sign(cert, key, EVP_sha256()) == 0 || PEM_write_bio_X509(bio, cert) != 1)
		return crypto_fail(c, "cannot make a certificate");
	TRY(crypto_take_bio(c, bio, &cert_pem));
	TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", &key_pem));
	*ret_cert_pem = cert_pem;
	*ret_key_pem = key_pem;
	return OK;
}

static EVP_PKEY *read_private_key(struct str pem)
{
	OSSL(BIO) bio = BIO_new_mem_buf(pem.p, (int) pem.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, crypto_no_passphrase, NULL) : NULL;
	ERR_clear_error();
	return key;
}

/* Takes the request's key if the request's signature proves possession. Everything else in it is ignored. */
static RESULT take_requested_key(struct ctx *c, struct str request, EVP_PKEY **ret_key)
{
	const unsigned char *bytes = (const unsigned char *) request.p;
	OSSL(X509_REQ) parsed = d2i_X509_REQ(NULL, &bytes, (long) request.n);
	OSSL(EVP_PKEY) key = parsed ? X509_REQ_get_pubkey(parsed) : NULL;
	bool holds = key && X509_REQ_verify(parsed, key) == 1;
	ERR_clear_error();
	if (!holds)
		return ctx_fail(c, ERR_INVALID, "the text is no request for a certificate");
	if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS_MIN)
		return ctx_fail(c, ERR_INVALID, "the key of a request for a certificate is too weak");
	*ret_key = key;
	key = NULL; /* now the caller's */
	return OK;
}

static bool add_issued_extensions(X509 *cert, X509 *ca, const struct crypto_issue *issue,
				  GENERAL_NAMES *names)
{
	static const int usage[] = {
		0, 2}; /* digitalSignature; keyEncipherment, which libvirt and QEMU insist on */
	OSSL(EXTENDED_KEY_USAGE) purpose = EXTENDED_KEY_USAGE_new();
	return purpose &&
	       (!issue->for_server || sk_ASN1_OBJECT_push(purpose, OBJ_nid2obj(NID_server_auth)) > 0) &&
	       (!issue->for_client || sk_ASN1_OBJECT_push(purpose, OBJ_nid2obj(NID_client_auth)) > 0) &&
	       add_constraints(cert, false) && add_key_usage(cert, usage, 2) &&
	       X509_add1_ext_i2d(cert, NID_ext_key_usage, purpose, 0, X509V3_ADD_DEFAULT) == 1 &&
	       (sk_GENERAL_NAME_num(names) == 0 ||
		X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1) &&
	       add_key_id(cert, ca, NID_authority_key_identifier, "keyid");
}

/* Returns the key to certify. */
static RESULT take_key(struct ctx *c, const struct crypto_issue *issue, EVP_PKEY **ret_key)
{
	if (issue->request.n)
		return take_requested_key(c, issue->request, ret_key);
	*ret_key = issue->key_pem.n ? read_private_key(issue->key_pem) : EVP_EC_gen("P-256");
	return *ret_key ? OK : crypto_fail(c, "cannot make a key");
}

static bool add_organization(X509 *cert, struct str name)
{
	struct str cut = str_slice(name, 0, COMMON_NAME_CAP); /* X.520 has the same bound for both */
	return !cut.n ||
	       X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_organizationName, MBSTRING_UTF8,
					  (const unsigned char *) cut.p, (int) cut.n, 0, 0) == 1;
}

static RESULT issue_for(struct ctx *c, const struct crypto_issue *issue, X509 *ca, EVP_PKEY *ca_key,
			EVP_PKEY *key, struct str *ret_cert_pem)
{
	OSSL(X509) cert = X509_new();
	OSSL(GENERAL_NAMES) names = GENERAL_NAMES_new();
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	struct str first = STR_NONE;
	if (!cert || !names || !bio)
		return crypto_fail(c, "cannot make a certificate");
	if (issue->names.n)
		TRY(add_names(c, issue->names, names, &first));
	if (!crypto_fill_certificate(cert, key, issue->common_name, issue->valid_us) ||
	    !add_organization(cert, issue->organization) ||
	    X509_set_issuer_name(cert, X509_get_subject_name(ca)) != 1 ||
	    !add_issued_extensions(cert, ca, issue, names) || X509_sign(cert, ca_key, EVP_sha256()) == 0 ||
	    PEM_write_bio_X509(bio, cert) != 1)
		return crypto_fail(c, "cannot make a certificate");
	return crypto_take_bio(c, bio, ret_cert_pem);
}

RESULT crypto_issue_certificate(struct ctx *c, const struct crypto_issue *issue, struct str *ret_cert_pem,
				struct str *ret_key_pem)
{
	OSSL(X509) ca = read_certificate(issue->ca_cert_pem);
	OSSL(EVP_PKEY) ca_key = read_private_key(issue->ca_key_pem);
	OSSL(EVP_PKEY) key = NULL;
	struct str cert_pem = STR_NONE, key_pem = STR_NONE;
	if (!ca || !ca_key || X509_check_private_key(ca, ca_key) != 1)
		return ctx_fail(c, ERR_INVALID, "the authority's certificate and key do not belong together");
	TRY(take_key(c, issue, &key));
	TRY(issue_for(c, issue, ca, ca_key, key, &cert_pem));
	if (!issue->request.n)
		TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", &key_pem));
	*ret_cert_pem = cert_pem;
	*ret_key_pem = key_pem;
	return OK;
}

RESULT crypto_make_ec_pair(struct ctx *c, struct str *ret_private_pem, struct str *ret_public_pem)
{
	OSSL(EVP_PKEY) key = EVP_EC_gen("P-256");
	struct str private_pem = STR_NONE;
	if (!key)
		return crypto_fail(c, "cannot make a key");
	TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", &private_pem));
	TRY(crypto_encode_key(c, key, EVP_PKEY_PUBLIC_KEY, "PEM", "SubjectPublicKeyInfo", ret_public_pem));
	*ret_private_pem = private_pem;
	return OK;
}

static bool read_time(const ASN1_TIME *time, int64_t *ret_us)
{
	struct tm parts = {0};
	if (ASN1_TIME_to_tm(time, &parts) != 1)
		return false;
	*ret_us = (int64_t) timegm(&parts) * SECOND;
	return true;
}

RESULT crypto_read_validity(struct ctx *c, struct str cert_pem, int64_t *ret_from_us, int64_t *ret_until_us)
{
	OSSL(X509) cert = read_certificate(cert_pem);
	int64_t from_us = 0, until_us = 0;
	if (!cert || !read_time(X509_get0_notBefore(cert), &from_us) ||
	    !read_time(X509_get0_notAfter(cert), &until_us))
		return ctx_fail(c, ERR_INVALID, "the text is no certificate in PEM");
	*ret_from_us = from_us;
	*ret_until_us = until_us;
	return OK;
}

bool crypto_is_issued_by(struct str cert_pem, struct str ca_cert_pem)
{
	OSSL(X509) cert = read_certificate(cert_pem);
	OSSL(X509) ca = read_certificate(ca_cert_pem);
	EVP_PKEY *key = ca ? X509_get0_pubkey(ca) : NULL;
	bool is_of_it = cert && key && X509_verify(cert, key) == 1;
	ERR_clear_error();
	return is_of_it;
}

/* ---- certificates that users upload ---- */

#define PEM_BEGIN STR("-----BEGIN CERTIFICATE-----")
#define PEM_END STR("-----END CERTIFICATE-----")

/* Size of the certificate at the beginning of the text, with its marks; 0: there is none. */
static size_t size_of_pem(struct str text)
{
	if (!str_starts_with(text, PEM_BEGIN))
		return 0;
	for (size_t at = str_find_char(text, '-', PEM_BEGIN.n); at < text.n;
	     at = str_find_char(text, '-', at + 1))
		if (str_starts_with(str_slice(text, at, text.n), PEM_END))
			return at + PEM_END.n;
	return 0;
}

bool crypto_split_certificates(struct arena *a, struct str text, size_t max, struct strs *ret_pems)
{
	struct str rest = str_trim(text);
	struct str *pems = arena_new_array(a, struct str, max);
	size_t count = 0;
	while (rest.n && count < max && pems) {
		struct str pem = str_slice(rest, 0, size_of_pem(rest));
		OSSL(X509) cert = pem.n ? read_certificate(pem) : NULL;
		if (!cert)
			return false;
		pems[count++] = pem;
		rest = str_trim(str_slice(rest, pem.n, rest.n));
	}
	*ret_pems = (struct strs){pems, count};
	return count && !rest.n;
}

RESULT crypto_check_key_pair(struct ctx *c, struct str cert_pem, struct str key_pem)
{
	OSSL(X509) cert = read_certificate(cert_pem);
	OSSL(EVP_PKEY) key = read_private_key(key_pem);
	if (!cert || !key)
		return ctx_fail(c, ERR_INVALID, "the text is no private key in PEM without a password");
	bool is_pair = X509_check_private_key(cert, key) == 1;
	ERR_clear_error();
	return is_pair ? OK
		       : ctx_fail(c, ERR_COMBINATION, "the certificate and the key do not belong together");
}

static bool is_strong(EVP_PKEY *key)
{
	enum { RSA_MIN = 2048, RSA_MAX = 8192 };
	static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
	char name[32] = "";
	int bits = EVP_PKEY_get_bits(key);
	if (EVP_PKEY_is_a(key, "RSA"))
		return bits >= RSA_MIN && bits <= RSA_MAX;
	if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1)
		return false;
	for (size_t k = 0; k < sizeof curves / sizeof curves[0]; k++)
		if (strcmp(name, curves[k]) == 0)
			return true;
	return false;
}

bool crypto_is_verifier(struct str certificate_der)
{
	const unsigned char *at = (const unsigned char *) certificate_der.p;
	const unsigned char *end = at + certificate_der.n;
	OSSL(X509) cert = certificate_der.n ? d2i_X509(NULL, &at, (long) certificate_der.n) : NULL;
	EVP_PKEY *key = cert && at == end ? X509_get0_pubkey(cert) : NULL;
	bool is_good = key && is_strong(key);
	ERR_clear_error();
	return is_good;
}
