/* SPDX-License-Identifier: Apache-2.0
 * Lists, for the sign-in page, by which providers people of a domain sign in, and whether their passwords count. */
#include "api/native/action.h"

#include "store/domain.h"
#include "store/oidc_provider.h"
#include "store/saml_provider.h"

struct ways_args {
	struct str domain;
};
static const struct param ways_params[] = {
	PARAM(struct ways_args, "domain", domain, .place = IN_QUERY, .max = 255,
	      .doc = "Domain; absent: Default."),
};

static void write_way(struct json_writer *w, uuid id, struct str name, const char *protocol)
{
	json_write_open(w, NULL);
	json_write_uuid(w, "id", id);
	json_write_text(w, "name", name);
	json_write_z(w, "protocol", protocol);
	json_write_close(w);
}

static RESULT answer_ways(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct ways_args *a = args;
	const struct tables *t = native_tables(e);
	const struct domain *domain =
		a->domain.n ? domain_find_by_name(t, a->domain) : domain_find(t, DOMAIN_DEFAULT);
	json_write_open_list(w, "items");
	const struct oidc_provider *o = domain ? oidc_provider_first_by_sign_in(t, domain->row.id) : NULL;
	for (; o; o = oidc_provider_next_by_sign_in(t, o))
		write_way(w, o->row.id, o->sign_in_name, "oidc");
	const struct saml_provider *s = domain ? saml_provider_first_by_sign_in(t, domain->row.id) : NULL;
	for (; s; s = saml_provider_next_by_sign_in(t, s))
		write_way(w, s->row.id, s->sign_in_name, "saml");
	json_write_close_list(w);
	json_write_z(w, "passwords",
		     domain_passwords_words[domain ? domain->passwords : DOMAIN_PASSWORDS_ACCEPTED]);
	return OK;
}

static const struct native_action actions[] = {
	{HTTP_GET, "/session/ways", .name = "ListSignInWays", .permit = "dari:ListSignIns",
	 .flags = API_OPEN | API_FOR_ALL | NATIVE_UNSCOPED, .args = PARAMS(struct ways_args, ways_params),
	 .answer = answer_ways,
	 .doc = "Lists the identity providers for sign-in to a domain, and which passwords are accepted."},
};
const struct api_actions native_ways_actions = API_ACTIONS(actions);
