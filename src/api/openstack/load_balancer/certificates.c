/* SPDX-License-Identifier: Apache-2.0
 * Certificates of TERMINATED_HTTPS listeners, read from Barbican: a container of the type certificate, or a secret with a PKCS #12
 * file. Source: octavia/certificates; Octavia's Cookbook, "Deploy a TLS-terminated HTTPS load balancer". */
#include "api/openstack/key_manager/key_manager.h"
#include "api/openstack/load_balancer/load_balancer.h"
#include "auth/key/key.h"
#include "base/clock.h"
#include "base/crypto_certificate.h"
#include "base/crypto_issue.h"
#include "store/secret.h"
#include "store/secret_container.h"

enum { CHAIN_CERTIFICATES_MAX = 64, SECRETS_OF_ONE = 3 };

static struct result fail(struct os_call *e, const struct octavia_certificate *c)
{
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("default_tls_container_ref"),
			      "Could not retrieve certificate: ['%" STR_FMT "']",
			      STR_ARG(str_slice(c->ref, 0, 255)));
}

/* ---- reading, in prepare ---- */

/* Opens a secret of the caller's project; the operation asks for the permission. */
static RESULT open_secret(struct os_call *e, uuid id, struct octavia_certificate *c, struct str *ret_payload)
{
	const struct secret *s = secret_find(os_tables(e), id);
	bool is_readable = s && uuid_equal(s->account, e->c->who->account) && s->content_type.n &&
			   engine_may_read_secret(e->c, s) &&
			   (!s->expires_us || s->expires_us > clock_now_us());
	uuid *ids = (uuid *) (uintptr_t) c->secrets.at;
	if (!is_readable || c->secrets.count == SECRETS_OF_ONE)
		return fail(e, c);
	ids[c->secrets.count++] = id;
	return key_open(e->c, e->config->master_key, id, s->payload, ret_payload);
}

static RESULT read_container(struct os_call *e, uuid id, struct octavia_certificate *c)
{
	const struct secret_container *row = secret_container_find(os_tables(e), id);
	if (!row || !uuid_equal(row->account, e->c->who->account) ||
	    row->type != SECRET_CONTAINER_TYPE_CERTIFICATE)
		return fail(e, c);
	for (size_t k = 0; k < row->secrets.count; k++) {
		struct str name = row->names.at[k];
		if (str_is(name, "private_key_passphrase"))
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("default_tls_container_ref"),
					      "Keys with a passphrase are not supported: the container has a "
					      "private_key_passphrase.");
		TRY(open_secret(e, row->secrets.at[k], c,
				str_is(name, "certificate")   ? &c->body
				: str_is(name, "private_key") ? &c->key
							      : &c->chain));
	}
	return c->body.n && c->key.n ? OK : fail(e, c);
}

static RESULT read_one(struct os_call *e, struct str ref, struct octavia_certificate *c)
{
	struct ref named;
	uuid *ids = arena_new_array(e->c->arena, uuid, SECRETS_OF_ONE);
	if (!ids)
		return ctx_no_memory(e->c);
	*c = (struct octavia_certificate){
		.ref = ref, .id = id_new(KIND_SERVER_CERTIFICATE), .secrets = {ids, 0}};
	if (os_km_read_ref(ref, "containers", KIND_SECRET_CONTAINER, &named) &&
	    secret_container_find(os_tables(e), named.prefix))
		return read_container(e, named.prefix, c);
	if (!os_km_read_ref(ref, "secrets", KIND_SECRET, &named))
		return fail(e, c);
	c->is_packed = true;
	return open_secret(e, named.prefix, c, &c->body);
}

RESULT os_lb_read_certificates(struct os_call *e, struct str default_ref, const struct strs *sni_refs,
			       struct octavia_certificates *ret_certificates)
{
	size_t count = 0;
	if (sni_refs->count > OCTAVIA_SNI_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("sni_container_refs"),
				      "A listener has up to %d sni_container_refs.", OCTAVIA_SNI_MAX);
	if (!default_ref.n && !sni_refs->count)
		return OK;
	struct octavia_certificate *at =
		arena_new_array(e->c->arena, struct octavia_certificate, sni_refs->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	if (default_ref.n)
		TRY(read_one(e, default_ref, &at[count++]));
	for (size_t k = 0; k < sni_refs->count; k++)
		TRY(read_one(e, sni_refs->at[k], &at[count++]));
	*ret_certificates = (struct octavia_certificates){at, count};
	return OK;
}

/* ---- checks, in the action's work ---- */

static struct result fail_pem(struct os_call *e, const char *message)
{
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("default_tls_container_ref"), "%s", message);
}

static RESULT unpack(struct os_call *e, struct octavia_certificate *c)
{
	struct str der = c->body;
	if (result_is_ok(crypto_unpack_pkcs12(e->c, der, &c->body, &c->key, &c->chain)))
		return OK;
	return fail_pem(
		e, "The PKCS12 bundle is unreadable. Please check the PKCS12 bundle validity. In addition, "
		   "make sure it does not require a pass phrase.");
}

static RESULT check_one(struct os_call *e, struct octavia_certificate *c)
{
	struct strs pems = {0};
	struct str key = STR_NONE;
	if (c->is_packed)
		TRY(unpack(e, c));
	if (!crypto_split_certificates(e->c->arena, c->body, CHAIN_CERTIFICATES_MAX, &pems) ||
	    !result_is_ok(crypto_read_validity(e->c, pems.at[0], &c->from_us, &c->until_us)))
		return fail_pem(e, "Could not read X509 from PEM");
	struct str all = c->body;
	c->body = pems.at[0];
	if (!c->chain.n && pems.count > 1) /* the rest of a body that contains the chain */
		c->chain = str_slice(all, (size_t) (pems.at[1].p - all.p), all.n);
	if (c->chain.n && !crypto_split_certificates(e->c->arena, c->chain, CHAIN_CERTIFICATES_MAX, &pems))
		return fail_pem(e, "Could not read X509 from PEM");
	struct result pair = crypto_check_key_pair(e->c, c->body, c->key);
	if (pair.code == ERR_INVALID)
		return fail_pem(e, "The private key is unreadable, or has a passphrase.");
	if (pair.code == ERR_COMBINATION)
		return fail_pem(e, "Key and x509 certificate do not match");
	TRY(pair);
	TRY(key_seal(e->c, e->config->master_key, c->id, c->key, &key));
	c->key = key;
	return OK;
}

RESULT os_lb_check_certificates(struct os_call *e, struct octavia_certificates *certificates)
{
	for (size_t k = 0; k < certificates->count; k++)
		TRY(check_one(e, &certificates->at[k]));
	return OK;
}
