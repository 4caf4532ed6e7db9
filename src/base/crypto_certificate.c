/* SPDX-License-Identifier: Apache-2.0
 * Reads certificates and PKCS #12 files with OpenSSL. */
#include "base/crypto_certificate.h"

#include <time.h>

#include "base/clock.h"
#include "base/crypto_ossl.h"
#include "base/ip.h"

DEFINE_OSSL(X509, X509_free)
DEFINE_OSSL(GENERAL_NAMES, GENERAL_NAMES_free)
DEFINE_OSSL(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
DEFINE_OSSL(ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_OSSL(PKCS12, PKCS12_free)

static void free_stack(STACK_OF(X509) * stack)
{
	sk_X509_pop_free(stack, X509_free);
}
typedef STACK_OF(X509) X509_STACK;
DEFINE_OSSL(X509_STACK, free_stack)

/* ---- names ---- */

static RESULT write_name(struct ctx *c, const X509_NAME *name, struct str *ret_text)
{
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
		return ctx_no_memory(c);
	return crypto_take_bio(c, bio, ret_text);
}

/* The first entry of that type; empty: none. */
static RESULT read_entry(struct ctx *c, const X509_NAME *name, int nid, struct str *ret_text)
{
	unsigned char *utf8 = NULL;
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	*ret_text = STR_NONE;
	if (at < 0)
		return OK;
	int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (size > 0)
		*ret_text = str_copy(c->arena, (struct str){(const char *) utf8, (size_t) size});
	OPENSSL_free(utf8);
	return size <= 0 || ret_text->p ? OK : ctx_no_memory(c);
}

/* The certificate's author chose the size: another than an address's gives an empty text. */
static struct str write_address(struct arena *a, const unsigned char *b, int size)
{
	enum { V4_SIZE = 4, V6_SIZE = 16 };
	struct ip ip = {.family = size == V4_SIZE ? IP_V4 : size == V6_SIZE ? IP_V6 : IP_NONE};
	if (ip.family)
		memcpy(ip.b, b, (size_t) size);
	return ip_to_str(a, ip);
}

static RESULT read_names(struct ctx *c, const X509 *cert, struct strs *ret_names)
{
	OSSL(GENERAL_NAMES) names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct str *at = arena_new_array(c->arena, struct str, CRYPTO_NAMES_MAX);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(c);
	for (int k = 0; k < sk_GENERAL_NAME_num(names) && count < CRYPTO_NAMES_MAX; k++) {
		int type = 0;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, k), &type);
		if (type != GEN_DNS && type != GEN_IPADD)
			continue;
		const unsigned char *bytes = ASN1_STRING_get0_data(value);
		int size = ASN1_STRING_length(value);
		struct str text = {(const char *) bytes, (size_t) size};
		at[count] = type == GEN_DNS ? str_clean(c->arena, text, true)
					    : write_address(c->arena, bytes, size);
		count++;
	}
	*ret_names = (struct strs){at, count};
	return OK;
}

/* ---- keys and their usage ---- */

static enum crypto_key_type find_key_type(EVP_PKEY *key)
{
	static const struct {
		const char *algorithm, *curve;
		int bits;
		enum crypto_key_type type;
	} rows[] = {
		{"RSA", "", 1024, CRYPTO_KEY_RSA_1024},     {"RSA", "", 2048, CRYPTO_KEY_RSA_2048},
		{"RSA", "", 3072, CRYPTO_KEY_RSA_3072},     {"RSA", "", 4096, CRYPTO_KEY_RSA_4096},
		{"EC", "prime256v1", 256, CRYPTO_KEY_P256}, {"EC", "secp384r1", 384, CRYPTO_KEY_P384},
		{"EC", "secp521r1", 521, CRYPTO_KEY_P521},
	};
	char curve[32] = "";
	if (!key)
		return CRYPTO_KEY_OTHER;
	if (EVP_PKEY_is_a(key, "EC"))
		(void) EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL);
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (EVP_PKEY_is_a(key, rows[k].algorithm) && EVP_PKEY_get_bits(key) == rows[k].bits &&
		    strcmp(curve, rows[k].curve) == 0)
			return rows[k].type;
	return CRYPTO_KEY_OTHER;
}

static unsigned read_key_usages(const X509 *cert)
{
	OSSL(ASN1_BIT_STRING) bits = X509_get_ext_d2i(cert, NID_key_usage, NULL, NULL);
	unsigned usages = 0;
	for (int k = 0; bits && k < CRYPTO_KEY_USAGES; k++)
		if (ASN1_BIT_STRING_get_bit(bits, k))
			usages |= 1u << k;
	return usages;
}

static RESULT read_purposes(struct ctx *c, const X509 *cert, struct strs *ret_purposes)
{
	enum { PURPOSES_MAX = 20 };
	OSSL(EXTENDED_KEY_USAGE) usage = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	struct str *at = arena_new_array(c->arena, struct str, PURPOSES_MAX);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(c);
	for (int k = 0; k < sk_ASN1_OBJECT_num(usage) && count < PURPOSES_MAX; k++) {
		char oid[128] = "";
		if (OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(usage, k), 1) > 0)
			at[count++] = str_copy(c->arena, str_from(oid));
	}
	*ret_purposes = (struct strs){at, count};
	return OK;
}

/* ---- a certificate ---- */

static bool read_time(const ASN1_TIME *time, int64_t *ret_us)
{
	struct tm parts = {0};
	if (ASN1_TIME_to_tm(time, &parts) != 1)
		return false;
	*ret_us = (int64_t) timegm(&parts) * SECOND;
	return true;
}

static RESULT read_serial(struct ctx *c, const X509 *cert, struct str *ret_text)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	return crypto_write_colons(c, ASN1_STRING_get0_data(serial), (size_t) ASN1_STRING_length(serial),
				   ret_text);
}

static RESULT read_fields(struct ctx *c, X509 *cert, struct crypto_certificate *ret)
{
	const X509_NAME *subject = X509_get_subject_name(cert), *issuer = X509_get_issuer_name(cert);
	TRY(write_name(c, subject, &ret->subject));
	TRY(write_name(c, issuer, &ret->issuer));
	TRY(read_entry(c, subject, NID_commonName, &ret->common_name));
	TRY(read_entry(c, issuer, NID_organizationName, &ret->organization));
	if (!ret->organization.n)
		TRY(read_entry(c, issuer, NID_commonName, &ret->organization));
	TRY(read_serial(c, cert, &ret->serial));
	TRY(read_names(c, cert, &ret->names));
	TRY(read_purposes(c, cert, &ret->purposes));
	ret->key_type = find_key_type(X509_get0_pubkey(cert));
	ret->key_usages = read_key_usages(cert);
	ret->is_self_issued = X509_NAME_cmp(subject, issuer) == 0;
	ret->signature = str_from(OBJ_nid2sn(X509_get_signature_nid(cert)));
	return OK;
}

RESULT crypto_read_certificate(struct ctx *c, struct str pem, struct crypto_certificate *ret_certificate)
{
	OSSL(BIO) bio = BIO_new_mem_buf(pem.p, (int) pem.n);
	OSSL(X509) cert = bio ? PEM_read_bio_X509(bio, NULL, crypto_no_passphrase, NULL) : NULL;
	struct crypto_certificate read = {0};
	ERR_clear_error();
	if (!cert || !read_time(X509_get0_notBefore(cert), &read.from_us) ||
	    !read_time(X509_get0_notAfter(cert), &read.until_us))
		return ctx_fail(c, ERR_INVALID, "the text is no certificate in PEM");
	struct result result = read_fields(c, cert, &read);
	ERR_clear_error(); /* extensions that do not parse leave errors behind */
	TRY(result);
	*ret_certificate = read;
	return OK;
}

/* ---- PKCS #12 ---- */

static RESULT write_certificate(struct ctx *c, X509 *cert, struct str *ret_pem)
{
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	if (!bio || PEM_write_bio_X509(bio, cert) != 1)
		return ctx_no_memory(c);
	return crypto_take_bio(c, bio, ret_pem);
}

static RESULT write_chain(struct ctx *c, const STACK_OF(X509) * chain, struct str *ret_pem)
{
	OSSL(BIO) bio = BIO_new(BIO_s_mem());
	*ret_pem = STR_NONE;
	for (int k = 0; k < sk_X509_num(chain); k++)
		if (!bio || PEM_write_bio_X509(bio, sk_X509_value(chain, k)) != 1)
			return ctx_no_memory(c);
	return sk_X509_num(chain) > 0 ? crypto_take_bio(c, bio, ret_pem) : OK;
}

RESULT crypto_unpack_pkcs12(struct ctx *c, struct str der, struct str *ret_cert_pem, struct str *ret_key_pem,
			    struct str *ret_chain_pem)
{
	const unsigned char *at = (const unsigned char *) der.p;
	OSSL(PKCS12) file = d2i_PKCS12(NULL, &at, (long) der.n);
	EVP_PKEY *opened_key = NULL;
	X509 *opened = NULL;
	STACK_OF(X509) *others = NULL;
	bool is_open = file && (PKCS12_parse(file, NULL, &opened_key, &opened, &others) == 1 ||
				PKCS12_parse(file, "", &opened_key, &opened, &others) == 1);
	OSSL(EVP_PKEY) key = opened_key;
	OSSL(X509) cert = opened;
	OSSL(X509_STACK) chain = others;
	ERR_clear_error();
	if (!is_open || !key || !cert)
		return ctx_fail(c, ERR_INVALID, "the text is no PKCS #12 file without a password");
	TRY(write_certificate(c, cert, ret_cert_pem));
	TRY(crypto_encode_key(c, key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", ret_key_pem));
	return write_chain(c, chain, ret_chain_pem);
}
