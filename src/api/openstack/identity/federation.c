/* SPDX-License-Identifier: Apache-2.0
 * Identity providers, their protocol and their mapping, as Keystone shows them. They are the providers by which people of a domain sign
 * in; Keystone's API has no place for metadata, clients and their secrets, so they are set up natively, and read here. Source: Identity
 * API reference, "OS-FEDERATION". */
#include "api/openstack/identity/federation.h"

#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "engine/people/sign_in/arrival.h"
#include "store/oidc_provider.h"
#include "store/saml_provider.h"

/* ---- providers ---- */

/* Calls each for every provider by which people sign in. */
static void each_idp(struct os_call *e, void (*each)(void *arg, const struct os_idp *idp), void *arg)
{
	const struct tables *t = os_tables(e);
	for (const struct oidc_provider *p = oidc_provider_first(t); p; p = oidc_provider_next(t, p))
		if (!uuid_is_none(p->sign_in_domain))
			each(arg, &(struct os_idp){.oidc = p});
	for (const struct saml_provider *p = saml_provider_first(t); p; p = saml_provider_next(t, p))
		if (!uuid_is_none(p->sign_in_domain))
			each(arg, &(struct os_idp){.saml = p});
}

static uuid id_of(const struct os_idp *idp)
{
	return idp->oidc ? idp->oidc->row.id : idp->saml->row.id;
}

static struct str name_of(const struct os_idp *idp)
{
	return idp->oidc ? idp->oidc->sign_in_name : idp->saml->sign_in_name;
}

static const char *protocol_of(const struct os_idp *idp)
{
	return idp->oidc ? "openid" : "saml2";
}

struct search {
	struct str text;
	uuid id;
	struct os_idp found;
	size_t count;
};

static void match(void *arg, const struct os_idp *idp)
{
	struct search *s = arg;
	if (!uuid_equal(id_of(idp), s->id) && !str_equal(name_of(idp), s->text))
		return;
	s->found = *idp;
	s->count++;
}

void os_find_idp(struct os_call *e, struct str id, struct os_idp *ret_idp)
{
	struct search s = {.text = id};
	struct ref ref;
	if (os_parse_id(id, KIND_OIDC_PROVIDER, &ref))
		s.id = ref.prefix;
	each_idp(e, match, &s);
	*ret_idp = s.count == 1 ? s.found : (struct os_idp){0};
}

RESULT os_fail_idp(struct os_call *e, struct str id)
{
	return ctx_fail(e->c, ERR_NOT_FOUND, "Could not find Identity Provider: %" STR_FMT ".", STR_ARG(id));
}

static RESULT find(struct os_call *e, struct str id, struct os_idp *ret_idp)
{
	os_find_idp(e, id, ret_idp);
	return ret_idp->oidc || ret_idp->saml ? OK : os_fail_idp(e, id);
}

/* ---- what is shown ---- */

static struct str hex_of(struct os_call *e, const struct os_idp *idp)
{
	uuid id = id_of(idp);
	return str_encode_hex(e->c->arena, id.b, sizeof id.b);
}

static void write_link(struct os_call *e, struct json_writer *w, const char *key, const char *before,
		       const struct os_idp *idp, const char *behind)
{
	json_write_text(w, key,
			str_print(e->c->arena, "%" STR_FMT "/OS-FEDERATION/%s/%" STR_FMT "%s",
				  STR_ARG(os_service_url(e, OS_IDENTITY)), before, STR_ARG(hex_of(e, idp)),
				  behind));
}

static void write_idp(struct os_call *e, struct json_writer *w, const struct os_idp *idp)
{
	struct str url = idp->oidc ? str_print(e->c->arena, "https://%" STR_FMT, STR_ARG(idp->oidc->url))
				   : idp->saml->entity_id;
	json_write_text(w, "id", hex_of(e, idp));
	json_write_text(w, "description", name_of(idp));
	os_write_domain_id(w, "domain_id", idp->oidc ? idp->oidc->sign_in_domain : idp->saml->sign_in_domain);
	json_write_bool(w, "enabled", true);
	json_write_null(w, "authorization_ttl");
	json_write_open_list(w, "remote_ids");
	json_write_text(w, NULL, url);
	json_write_close_list(w);
	json_write_open(w, "links");
	write_link(e, w, "self", "identity_providers", idp, "");
	write_link(e, w, "protocols", "identity_providers", idp, "/protocols");
	json_write_close(w);
}

static void write_protocol(struct os_call *e, struct json_writer *w, const struct os_idp *idp)
{
	const char *self = str_to_z(e->c->arena, str_print(e->c->arena, "/protocols/%s", protocol_of(idp)));
	json_write_z(w, "id", protocol_of(idp));
	json_write_text(w, "mapping_id", hex_of(e, idp));
	json_write_null(w, "remote_id_attribute");
	json_write_open(w, "links");
	write_link(e, w, "self", "identity_providers", idp, self);
	write_link(e, w, "identity_provider", "identity_providers", idp, "");
	json_write_close(w);
}

/* {"type": …} of what the rule looks at. */
static void write_remote(struct json_writer *w, struct str type, struct str any)
{
	json_write_open(w, NULL);
	json_write_text(w, "type", type);
	if (any.n) {
		json_write_open_list(w, "any_one_of");
		json_write_text(w, NULL, any);
		json_write_close_list(w);
	}
	json_write_close(w);
}

/* The rule that gives the user, or, with a group, the rule that gives the group. */
static void write_rule(struct json_writer *w, const struct os_idp *idp, struct str theirs, struct str ours)
{
	bool is_oidc = idp->oidc;
	struct str subject = is_oidc                              ? STR("sub")
			     : idp->saml->sign_in_subject_claim.n ? idp->saml->sign_in_subject_claim
								  : STR("NameID");
	uuid domain = is_oidc ? idp->oidc->sign_in_domain : idp->saml->sign_in_domain;
	json_write_open(w, NULL);
	json_write_open_list(w, "local");
	json_write_open(w, NULL);
	json_write_open(w, ours.n ? "group" : "user");
	json_write_text(w, "name", ours.n ? ours : STR("{0}"));
	json_write_open(w, "domain");
	os_write_domain_id(w, "id", domain);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
	json_write_close_list(w);
	json_write_open_list(w, "remote");
	if (ours.n)
		write_remote(w, is_oidc ? idp->oidc->sign_in_group_claim : idp->saml->sign_in_group_claim,
			     theirs);
	else
		write_remote(w, subject, STR_NONE);
	json_write_close_list(w);
	json_write_close(w);
}

static void write_mapping(struct os_call *e, struct json_writer *w, const struct os_idp *idp)
{
	struct strs rules = idp->oidc ? idp->oidc->sign_in_groups : idp->saml->sign_in_groups;
	json_write_text(w, "id", hex_of(e, idp));
	json_write_z(w, "schema_version", "1.0");
	json_write_open_list(w, "rules");
	write_rule(w, idp, STR_NONE, STR_NONE);
	for (size_t k = 0; k < rules.count; k++) {
		struct str theirs = STR_NONE, ours = STR_NONE;
		arrival_read_rule(rules.at[k], &theirs, &ours);
		write_rule(w, idp, theirs, ours);
	}
	json_write_close_list(w);
	json_write_open(w, "links");
	write_link(e, w, "self", "mappings", idp, "");
	json_write_close(w);
}

/* ---- lists ---- */

typedef void writing(struct os_call *e, struct json_writer *w, const struct os_idp *idp);

struct listing {
	struct os_call *e;
	struct json_writer *w;
	writing *write;
};

static void write_one(void *arg, const struct os_idp *idp)
{
	const struct listing *l = arg;
	json_write_open(l->w, NULL);
	l->write(l->e, l->w, idp);
	json_write_close(l->w);
}

static RESULT list(struct os_call *e, struct json_writer *w, const char *items, writing *write)
{
	struct listing l = {e, w, write};
	json_write_open_list(w, items);
	if (write)
		each_idp(e, write_one, &l);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

static RESULT list_idps(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return list(e, w, "identity_providers", write_idp);
}

static RESULT list_mappings(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return list(e, w, "mappings", write_mapping);
}

static RESULT list_services(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return list(e, w, "service_providers", NULL);
}

/* ---- one ---- */

struct one_args {
	struct str id, protocol;
};
static const struct param idp_params[] = {
	OS_PATH(struct one_args, "idp_id", id,
		.doc = "Identity provider: its id, or its name on the sign-in page."),
};
static const struct param protocol_params[] = {
	OS_PATH(struct one_args, "idp_id", id, .doc = "The identity provider."),
	OS_PATH(struct one_args, "protocol_id", protocol, .doc = "Protocol: openid or saml2."),
};
static const struct param mapping_params[] = {
	OS_PATH(struct one_args, "mapping_id", id, .doc = "Mapping, by the id of its identity provider."),
};

static RESULT show_idp(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_idp idp;
	TRY(find(e, ((const struct one_args *) args)->id, &idp));
	write_idp(e, w, &idp);
	return OK;
}

static RESULT show_mapping(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_idp idp;
	struct str id = ((const struct one_args *) args)->id;
	os_find_idp(e, id, &idp);
	if (!idp.oidc && !idp.saml)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Could not find mapping: %" STR_FMT ".", STR_ARG(id));
	write_mapping(e, w, &idp);
	return OK;
}

static RESULT show_protocol(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct one_args *a = args;
	struct os_idp idp;
	TRY(find(e, a->id, &idp));
	if (!str_is(a->protocol, protocol_of(&idp)))
		return ctx_fail(e->c, ERR_NOT_FOUND,
				"Could not find federated protocol %" STR_FMT
				" for Identity Provider: %" STR_FMT ".",
				STR_ARG(a->protocol), STR_ARG(a->id));
	write_protocol(e, w, &idp);
	return OK;
}

static RESULT list_protocols(struct os_call *e, const void *args, struct json_writer *w)
{
	struct os_idp idp;
	TRY(find(e, ((const struct one_args *) args)->id, &idp));
	json_write_open_list(w, "protocols");
	json_write_open(w, NULL);
	write_protocol(e, w, &idp);
	json_write_close(w);
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

#define IDPS "/v3/OS-FEDERATION/identity_providers"
static const struct os_action actions[] = {
	{HTTP_GET, IDPS, .permit = "identity:list_identity_providers", .args = OS_NO_PARAMS,
	 .answer = list_idps, .doc = "Lists the identity providers."},
	{HTTP_GET, IDPS "/{idp_id}", .permit = "identity:get_identity_provider",
	 .args = OS_PARAMS(struct one_args, idp_params), .item = "identity_provider", .answer = show_idp,
	 .doc = "Shows one identity provider."},
	{HTTP_GET, IDPS "/{idp_id}/protocols", .permit = "identity:list_protocols",
	 .args = OS_PARAMS(struct one_args, idp_params), .answer = list_protocols,
	 .doc = "Lists the protocol of an identity provider."},
	{HTTP_GET, IDPS "/{idp_id}/protocols/{protocol_id}", .permit = "identity:get_protocol",
	 .args = OS_PARAMS(struct one_args, protocol_params), .item = "protocol", .answer = show_protocol,
	 .doc = "Shows the protocol of an identity provider."},
	{HTTP_GET, "/v3/OS-FEDERATION/mappings", .permit = "identity:list_mappings", .args = OS_NO_PARAMS,
	 .answer = list_mappings, .doc = "Lists the mappings of attributes to users and groups."},
	{HTTP_GET, "/v3/OS-FEDERATION/mappings/{mapping_id}", .permit = "identity:get_mapping",
	 .args = OS_PARAMS(struct one_args, mapping_params), .item = "mapping", .answer = show_mapping,
	 .doc = "Shows one mapping."},
	{HTTP_GET, "/v3/OS-FEDERATION/service_providers", .permit = "identity:list_service_providers",
	 .args = OS_NO_PARAMS, .answer = list_services, .doc = "Lists service providers. There are none."},
};
const struct os_actions os_federation_actions = OS_ACTIONS(OS_IDENTITY, actions);
